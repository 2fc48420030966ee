"""Continuous integration, pre-commit hooks, and CONTRIBUTING.md match the Makefile and the files that exist."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# Paths in backticks: with a slash, or at the top level with a suffix.
PATHS = sorted(set(re.findall(r"`(\.?[\w-]+/[\w./-]*|[\w-]+\.(?:md|py|toml|txt|yml|yaml))`", CONTRIBUTING)))
# The files that the example of a new command creates.
NEW = {"cli/commands/hub/rename.py", "tests/cli/commands/hub/test_rename.py"}


def make_commands(target):
    """The lines that `make` runs for a target, without those of the targets before it."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, flags=re.M)[1]
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in lines.splitlines()]


def load_yaml(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_workflow_runs_make_test_on_two_python_versions():
    job = load_yaml(".github/workflows/test.yml")["jobs"]["test"]
    assert [step["run"] for step in job["steps"] if step.get("run", "").startswith("make")] == ["make test"]
    (setup,) = (step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python@"))
    assert setup["python-version"] == "${{ matrix.python }}"
    # Quoted in YAML: as numbers, 3.10 would be 3.1.
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    oldest = re.search(r'requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text())[1]
    assert job["strategy"]["matrix"]["python"][0] == oldest


def test_pre_commit_hooks_are_the_commands_of_make_lint():
    (repository,) = load_yaml(".pre-commit-config.yaml")["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == make_commands("lint")
    for hook in repository["hooks"]:
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)


@pytest.mark.parametrize("path", PATHS)
def test_contributing_names_files_that_exist(path):
    # `zoo/models/` without a file is a folder.
    assert (ROOT / path).exists() == (path not in NEW)


def test_contributing_names_every_make_target():
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M)
    for target in targets.split():
        assert f"`make {target}`" in CONTRIBUTING, target
