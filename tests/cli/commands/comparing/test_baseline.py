"""`compare` and `zoo matrix` beside untrained copies: the verdict, the cache, and models without copies."""

import json
import shutil

import pytest

from cli.cache.results import newest_first
from cli.jobs import traces
from zoo.errors import ZooError
from zoo.train.untrained import UntrainedCopy

pytestmark = pytest.mark.slow

BRIEF = ("--layers", "blocks", "--max-examples", "120")


@pytest.fixture
def built(monkeypatch):
    """The references of the untrained copies that are built, in order."""
    refs, load = [], UntrainedCopy.load
    monkeypatch.setattr(UntrainedCopy, "load", lambda model, device: refs.append(model.ref) or load(model, device))
    return refs


def compare(run, *arguments):
    return result(run, "compare", *arguments)


def matrix(run, *arguments):
    return result(run, "zoo", "matrix", *arguments)


def result(run, *arguments):
    ran = run(*arguments, "--json", "-")
    assert ran.code == 0, ran.stderr
    return json.loads(ran.stdout)


def fail_for(name, monkeypatch):
    """Let the copies of a model be such that cannot be built."""
    load = UntrainedCopy.load

    def fail(model, device):
        if model.name == name:
            raise ZooError("timm cannot build it.")
        return load(model, device)

    monkeypatch.setattr(UntrainedCopy, "load", fail)


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
    fail_for("b", monkeypatch)
    result = compare(run, *folders, *BRIEF)
    assert result["baseline"]["a"] is None
    assert result["baseline"]["b"]["untrained"] > 0
    assert "b: there is no untrained copy; timm cannot build it." in result["notes"]
    text = " ".join(run("compare", *folders, *BRIEF).stdout.split())
    assert "Layers of a match layers of b with a CKA of" in text


def test_without_any_copy_the_baseline_is_null(run, folders, monkeypatch):
    def fail(model, device):
        raise ZooError("timm cannot build it.")

    monkeypatch.setattr(UntrainedCopy, "load", fail)
    result = compare(run, *folders, *BRIEF)
    assert result["baseline"] is None
    assert len([note for note in result["notes"] if "there is no untrained copy" in note]) == 2


def test_a_model_that_was_not_trained_is_as_similar_as_its_copy(run, here, folders):
    run("zoo", "train", "--depth", 8, "--epochs", 1, "--lr", 0)
    ran = run("compare", folders[0], "models/resnet8-w1-digits-s0", "--full")
    assert ran.code == 0, ran.stderr
    text = " ".join(ran.stdout.split())
    assert "but an untrained copy of b is as similar" in text
    assert "Similarity beside an untrained copy" in text


def test_each_pair_of_a_matrix_has_the_baseline_of_comparing_the_two(run, folders, built):
    pair = matrix(run, *folders, *BRIEF)["pairs"][0]
    assert len(built) == 6
    assert compare(run, *folders, *BRIEF)["baseline"] == pair["baseline"]
    assert len(built) == 6


def test_copies_in_a_matrix_run_once_per_model(run, folders, tmp_path, built):
    models = (*folders, shutil.copytree(folders[0], tmp_path / "c"))
    options = (*BRIEF, "--baseline-seeds", 2)
    beside = matrix(run, *models, *options)
    assert [pair["baseline"]["seeds"] for pair in beside["pairs"]] == [[0, 1]] * 3
    # The third model is a copy of the first one.
    assert len(built) == 4
    plain = matrix(run, *models, *BRIEF, "--baseline", "none")
    for pair in beside["pairs"]:
        pair["baseline"] = None
    assert plain == beside
    assert len(built) == 4


def test_a_matrix_with_a_tolerance_has_a_baseline(run, folders):
    pair = matrix(run, *folders, "--layers", "blocks", "--tolerance", "0.5")["pairs"][0]
    assert pair["baseline"]["a"]["low"] < pair["baseline"]["a"]["above"]


def test_pairs_of_a_model_that_cannot_be_built_untrained_lack_a_side(run, folders, model_folder, monkeypatch):
    models = (*folders, model_folder(8, 1))
    fail_for("b", monkeypatch)
    result = matrix(run, *models, *BRIEF)
    sides = [[pair["baseline"][side] is not None for side in "ab"] for pair in result["pairs"]]
    assert sides == [[False, True], [True, True], [True, False]]
    assert "2: there is no untrained copy; timm cannot build it." in result["notes"]
    text = " ".join(run("zoo", "matrix", *models, *BRIEF).stdout.split())
    assert "For 1 and 2; 2 and 3, it is unknown whether training explains this similarity." in text


@pytest.mark.slow
def test_a_model_that_was_not_trained_is_as_similar_as_its_copy_in_a_matrix(run, here, folders):
    run("zoo", "train", "--depth", 8, "--epochs", 1, "--lr", 0)
    ran = run("zoo", "matrix", *folders, "models/resnet8-w1-digits-s0")
    assert ran.code == 0, ran.stderr
    assert max(map(len, ran.stdout.splitlines())) <= 80
    text = " ".join(ran.stdout.split())
    assert "1 and 3; 2 and 3, an untrained copy of one model is at least as similar to the other" in text
    assert "Similarity beside untrained copies" in text
    assert "Cosine similarity with the most similar layer" in text


def test_of_many_models_a_matrix_shows_one_difference_per_pair(run, folders, tmp_path):
    models = (*folders, *(shutil.copytree(folders[i % 2], tmp_path / f"m{i}") for i in range(5)))
    ran = run("zoo", "matrix", *models, *BRIEF, "--baseline-seeds", 2)
    assert "CKA above that with an untrained copy\n" in ran.stdout
    assert "Similarity beside untrained copies" not in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80
