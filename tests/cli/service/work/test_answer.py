"""A process computes the answer to a question as the commands do, under the names that people gave."""

import json
import os
import signal

import msgspec
import pytest

from cli.service.store.records import Answer, Kind, PinnedModel, Question
from cli.service.work.job_file import JobFile, Progress, read_progress
from cli.service.work.progress import Steps
from tests.support.processes import Zoo, until
from zoo.hub.find import find_model

pytestmark = pytest.mark.slow

BRIEF = {"layers": "blocks", "max_examples": 60, "baseline_seeds": 1}
OPTIONS = ("--layers", "blocks", "--max-examples", "60", "--baseline-seeds", "1")


@pytest.fixture
def question(folders):
    """A question about the two model folders, which people know as `first` and `second`."""

    def question(kind=Kind.comparison, options=BRIEF, **other):
        models = [
            PinnedModel(name, str(folder), None, find_model(str(folder)).sha256)
            for name, folder in zip(("first", "second"), folders, strict=True)
        ]
        return Question(kind, tuple(models), "digits", "digits", options, "key", **other)

    return question


@pytest.fixture
def answer(run, tmp_path, monkeypatch):
    """Computes the answer to a question; gives what the command printed, and the folder of the answer."""
    # The command changes both, for itself.
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "0")
    monkeypatch.setattr(os, "nice", lambda step: None)

    def answer(question):
        path, folder = tmp_path / "jobs" / "one.json", tmp_path / "reports" / "one"
        JobFile(question, tmp_path / "cache", folder).write(path)
        return run("zoo", "answer", path), folder

    return answer


def numbers(text):
    """A result without the names of its models."""
    result = json.loads(text)
    models = result["models"].values() if isinstance(result["models"], dict) else result["models"]
    for model in models:
        model["ref"] = model["name"] = None
    return result


def test_a_comparison_is_that_of_the_command_line(run, folders, question, answer):
    ran, folder = answer(question())
    assert ran.code == 0, ran.stderr
    shown = run("zoo", "compare", *folders, *OPTIONS, "--json", "-").stdout
    result = json.loads((folder / "result.json").read_text())
    assert numbers((folder / "result.json").read_text()) == numbers(shown)
    assert [result["models"][side]["ref"] for side in "ab"] == ["first", "second"]
    assert str(folders[0].parent) not in "".join(path.read_text() for path in folder.glob("*.[jh]*"))
    summary = msgspec.json.decode((folder / "answer.json").read_bytes(), type=Answer)
    assert summary.agreement == result["disagreement"]["agreement"]
    assert summary.accuracies == tuple(result["models"][side]["accuracy"] for side in "ab")
    files = [folder / name for name in ("result.json", "page.html", "picture.png", "images.json")]
    assert summary.size == sum(path.stat().st_size for path in files)
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_a_matrix_is_that_of_the_command_line(run, folders, question, answer):
    ran, folder = answer(question(Kind.matrix))
    assert ran.code == 0, ran.stderr
    shown = run("zoo", "matrix", *folders, *OPTIONS, "--json", "-").stdout
    assert numbers((folder / "result.json").read_text()) == numbers(shown)


def test_a_model_that_has_changed_is_an_error_and_leaves_nothing(question, answer):
    asked = question()
    changed = [*asked.models]
    changed[1] = PinnedModel("second", changed[1].ref, None, "0" * 64)
    ran, folder = answer(Question(asked.kind, tuple(changed), "digits", "digits", BRIEF, "key"))
    assert ran.code == 1
    assert ran.stderr == "Error: second has changed since this comparison was started; compare again.\n"
    assert not folder.parent.exists()


def test_a_process_ends_when_its_file_is_removed(question, tmp_path):
    path, folder = tmp_path / "jobs" / "one.json", tmp_path / "reports" / "one"
    JobFile(question(options={"passes": 100_000}), tmp_path / "cache", folder).write(path)
    process = Zoo(tmp_path, "answer", path)
    until(lambda: read_progress(path).phase == "comparing")
    assert 0 < read_progress(path).fraction < 0.5
    path.unlink()
    assert process.tell() == (-signal.SIGTERM, "", "")
    assert not folder.exists()
    assert list(path.parent.iterdir()) == []


def test_progress_goes_from_0_to_1_and_never_back():
    for baseline in (True, False):
        steps, seen = Steps(baseline), []
        copies = [f"untrained copy {number} of 2" for number in (1, 2)] if baseline else []
        sweeps = ["comparing with untrained copies"] * 2 if baseline else []
        for phase in ("finding the models", "loading the images", "comparing", *copies, *sweeps, "writing the report"):
            for fraction in (0, 0.5, 1):
                steps.add(phase, fraction)
                seen.append(steps.progress.fraction)
        assert seen == sorted(seen)
        assert seen[0] == 0
        assert seen[-1] == pytest.approx(1)
        assert steps.progress.phase == "writing the report"


def test_a_phase_without_a_share_changes_nothing():
    steps = Steps(baseline=False)
    steps.add("showing", 0.5)
    assert steps.progress == Progress()
