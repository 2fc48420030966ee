"""constraints.txt pins every package of the tested environment, so that it can be set up again."""

import re
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# They are not installed for the tests, but come with Python or are this package.
UNPINNED = {"resnet-zoo", "pip", "setuptools", "wheel"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split())


def test_every_requirement_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in required}
    assert names - UNPINNED <= set(PINS)


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="only the project's own .venv is set up by constraints")
def test_installed_packages_are_those_of_the_constraints():
    installed = {normal(each.name): each.version.partition("+")[0] for each in distributions()}
    drifted = {name: version for name, version in installed.items() if PINS.get(name) != version}
    assert {name: drifted[name] for name in drifted.keys() - UNPINNED} == {}
