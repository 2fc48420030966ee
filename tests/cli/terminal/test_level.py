"""How much is told beside results: --quiet and --verbose, in a pipe as on a terminal."""

import pytest

from cards.words.group_verdict import group_verdict
from cards.words.matrix_verdict import matrix_verdict
from cards.words.verdict import inspection_verdict, verdict
from compare.result.comparison import Comparison
from compare.result.groups import GroupComparison
from compare.result.inspection import Inspection
from compare.result.matrix import ModelMatrix

pytestmark = pytest.mark.slow

BRIEF = ("--layers", "blocks", "--max-examples", "60")
COMMANDS = {
    "compare": (Comparison, verdict),
    "inspect": (Inspection, inspection_verdict),
    "matrix": (ModelMatrix, matrix_verdict),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_quiet_tells_the_verdict_alone(run, folders, tmp_path, command):
    kind, words = COMMANDS[command]
    models = folders[:1] if command == "inspect" else folders
    ran = run("zoo", command, *models, *BRIEF, "--quiet", "--json", tmp_path / "result.json")
    assert " ".join(ran.stdout.split()) == words(kind.from_json((tmp_path / "result.json").read_text()))
    assert (ran.code, ran.stderr) == (0, "")


def test_errors_are_told_in_any_case(run, folders):
    ran = run("zoo", "compare", *folders, "--quiet", "--precision", "fp8")
    assert ran.code == 2
    assert ran.stderr.startswith("Error: precision must be one of fp32")


def test_verbose_tells_every_step_on_stderr(run, folders, tmp_path):
    first, again = (run("zoo", "compare", *folders, *BRIEF, "--verbose", "--json", "-") for _ in range(2))
    assert first.stdout == again.stdout == run("zoo", "compare", *folders, *BRIEF, "--json", "-").stdout
    other = run("zoo", "inspect", folders[0], *BRIEF, "--verbose", "--json", "-").stderr
    assert f"{folders[0]} is weights of sha256 " in first.stderr
    assert "60 digits test images have the fingerprint " in first.stderr
    assert f"wrote the trace of {folders[0]} to " in first.stderr
    assert "using the cached result " in again.stderr
    assert "wrote the trace" not in again.stderr
    assert f"replaying the trace of {folders[0]}" in other
    for told in (first.stderr, again.stderr):
        assert "finding the models took " in told
        assert told.endswith(" MiB.\n")
    assert "comparing took " in first.stderr


def test_both_at_once_are_wrong_usage(run, folders):
    for options in (("--quiet", "--verbose"), ("--verbose", "--quiet")):
        ran = run("zoo", "compare", *folders, *options)
        assert ran.code == 2
        assert "--quiet and --verbose exclude each other" in ran.stderr


def test_training_tells_nothing_but_the_folder_when_quiet(run, here):
    brief = ("--depth", 8, "--width", 0.5, "--epochs", 1)
    quiet = run("zoo", "train", *brief, "--quiet")
    assert (quiet.stdout, quiet.stderr) == ("models/resnet8-w0.5-digits-s0\n", "")
    assert "training took " in run("zoo", "train", *brief, "--verbose", "--force").stderr


def test_groups_tell_their_verdict_when_quiet(run, folders, tmp_path):
    for name in "cdef":
        (tmp_path / name).symlink_to(folders[name in "ef"])
    a, b = [tmp_path / name for name in "cd"], [tmp_path / name for name in "ef"]
    ran = run("zoo", "groups", "--a", *a, "--b", *b, "--quiet", "--json", tmp_path / "g.json")
    result = GroupComparison.from_json((tmp_path / "g.json").read_text())
    assert " ".join(ran.stdout.split()) == group_verdict(result)
