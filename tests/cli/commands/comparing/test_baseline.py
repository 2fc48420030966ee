"""`compare` beside untrained copies: the verdict, the cache, and models without copies."""

import json

import pytest

from cli.cache.results import newest_first
from cli.jobs import traces
from zoo.errors import ZooError
from zoo.train.untrained import UntrainedCopy

BRIEF = ("--layers", "blocks", "--max-examples", "120")


@pytest.fixture
def built(monkeypatch):
    """The references of the untrained copies that are built, in order."""
    refs, load = [], UntrainedCopy.load
    monkeypatch.setattr(UntrainedCopy, "load", lambda model, device: refs.append(model.ref) or load(model, device))
    return refs


def compare(run, *arguments):
    ran = run("compare", *arguments, "--json", "-")
    assert ran.code == 0, ran.stderr
    return json.loads(ran.stdout)


def test_a_comparison_has_a_baseline_by_default(run, folders):
    result = compare(run, *folders, *BRIEF)
    assert result["baseline"]["seeds"] == [0, 1, 2]
    for side, cells in (("a", result["cka"]["ab"]), ("b", zip(*result["cka"]["ab"], strict=True))):
        best = [max(row) for row in cells]
        side = result["baseline"][side]
        assert side["best_match"] == pytest.approx(sum(best) / len(best), abs=1e-5)
        assert side["above"] == pytest.approx(side["best_match"] - side["untrained"], abs=2e-6)
        assert side["low"] < side["above"] < side["high"]


def test_none_computes_no_baseline_and_is_another_result_of_the_cache(run, folders, built):
    beside = compare(run, *folders, *BRIEF)
    assert len(built) == 6
    plain = compare(run, *folders, *BRIEF, "--baseline", "none")
    assert plain == beside | {"baseline": None}
    assert compare(run, *folders, *BRIEF) == beside
    assert len(built) == 6


def test_copies_are_traced_like_models(run, folders, built, loaded):
    compare(run, *folders, *BRIEF)
    assert len([*newest_first(traces.folder())]) == 8
    assert compare(run, *reversed(folders), *BRIEF)["baseline"]["a"]["low"] is not None
    assert (len(built), len(loaded)) == (6, 2)
    again = compare(run, *folders, *BRIEF, "--no-cache")
    assert again == compare(run, *folders, *BRIEF)
    assert (len(built), len(loaded)) == (12, 4)


def test_a_tolerance_and_several_passes_work(run, folders):
    stopped = compare(run, *folders, "--layers", "blocks", "--tolerance", "0.5")
    assert stopped["baseline"]["a"]["best_match"] > stopped["baseline"]["a"]["untrained"] - 1
    passes = compare(run, *folders, *BRIEF, "--passes", "2")
    best = [max(row) for row in passes["cka"]["ab"]]
    assert passes["baseline"]["a"]["best_match"] == pytest.approx(sum(best) / len(best), abs=1e-5)


def test_a_model_that_cannot_be_built_untrained_has_a_note(run, folders, monkeypatch):
    load = UntrainedCopy.load

    def fail_for_b(model, device):
        if model.name == "b":
            raise ZooError("timm cannot build it.")
        return load(model, device)

    monkeypatch.setattr(UntrainedCopy, "load", fail_for_b)
    result = compare(run, *folders, *BRIEF)
    assert result["baseline"]["a"] is None
    assert result["baseline"]["b"]["untrained"] > 0
    assert "b: there is no untrained copy; timm cannot build it." in result["notes"]
    assert "Layers of a match layers of b with a CKA of" in run("compare", *folders, *BRIEF).stdout


def test_without_any_copy_the_baseline_is_null(run, folders, monkeypatch):
    def fail(model, device):
        raise ZooError("timm cannot build it.")

    monkeypatch.setattr(UntrainedCopy, "load", fail)
    result = compare(run, *folders, *BRIEF)
    assert result["baseline"] is None
    assert len([note for note in result["notes"] if "there is no untrained copy" in note]) == 2


def test_a_model_that_was_not_trained_is_as_similar_as_its_copy(run, here, folders):
    run("zoo", "train", "--depth", 8, "--epochs", 1, "--lr", 0)
    ran = run("compare", folders[0], "models/resnet8-w1-digits-s0")
    assert ran.code == 0, ran.stderr
    text = " ".join(ran.stdout.split())
    assert "but an untrained copy of b is as similar" in text
    assert "Similarity beside an untrained copy" in text
