"""What the READMEs show is run as it stands there."""

import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from itertools import takewhile
from pathlib import Path

import pytest

from tests.support.image_files import write_folder
from tests.support.real_weights import write_model, write_photos
from tests.support.shared import make_once

ROOT = Path(__file__).parent.parent
FOLDERS = ("zoo", "compare", "cards", "cli", "tests")
READMES = ("README.md", *(f"{folder}/README.md" for folder in FOLDERS))
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in (*READMES, "CONTRIBUTING.md", "CHANGELOG.md")}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.M | re.S)


def examples(name):
    """Commands of the `sh` blocks and code of the `python` blocks of a README, in its order."""
    for language, text in FENCE.findall(TEXTS[name]):
        if language == "sh":
            yield from (("sh", line) for line in text.splitlines())
        elif language == "python":
            yield "python", text


EXAMPLES = {name: list(examples(name)) for name in READMES}
COMMANDS = [text for each in EXAMPLES.values() for language, text in each if language == "sh"]
# README.md begins with them, and all other READMEs use what they make.
TRAININGS = [text for _, text in takewhile(lambda example: example[1].startswith("zoo train"), EXAMPLES["README.md"])]
# Numbers of the networks with real weights that README.md compares, and how many photos they see.
REAL, PHOTOS = (0, 1), 90
README_COUNTS = Counter(text for each in EXAMPLES.values() for text in {text for _, text in each})


@pytest.fixture(scope="module")
def train_once(tmp_path_factory):
    """Runs a training command, once for all READMEs and workers; gives the folder of its models."""

    def train_once(command):
        def train(folder):
            script, *arguments = shlex.split(command)
            subprocess.run([Path(sys.executable).parent / script, *arguments], cwd=folder, check=True)

        return make_once(tmp_path_factory, re.sub(r"\W+", "-", command), train) / "models"

    return train_once


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
@pytest.mark.parametrize("name", [name for name, found in EXAMPLES.items() if found])
def test_every_example_runs_in_order(name, train_once, hub, run, here):
    for command in TRAININGS:
        shutil.copytree(train_once(command), here / "models", dirs_exist_ok=True)
    write_folder(here / "pets", per_class=40)
    if "tf_efficientnet_lite" in TEXTS[name]:
        write_photos(here / "photos", PHOTOS)
        for number in REAL:
            folder = write_model(here / "real", number)
            hub.seed(f"timm/{folder.name}", {path.name: path.read_bytes() for path in folder.iterdir()})
    for language, text in EXAMPLES[name]:
        if language == "python":
            exec(compile(text, name, "exec"), {"__name__": "__main__"})
        elif text in TRAININGS or text.startswith("zoo train") and README_COUNTS[text] > 1:
            shutil.copytree(train_once(text), here / "models", dirs_exist_ok=True)
        else:
            ran = run(*shlex.split(text))
            assert ran.code == 0, f"{text}\n{ran.stderr}"


@pytest.fixture
def commands(run):
    """Names of the commands in the help."""
    names = re.findall(r"^  ([a-z][a-z-]*) ", run("zoo", "--help").stdout, flags=re.M)
    assert {"train", "push-report", "cache"} < set(names)
    return names


def test_every_command_has_an_example(commands):
    # It runs until it is stopped, so no test runs its example.
    assert "\nzoo serve" in TEXTS["README.md"]
    for name in {*commands} - {"serve"}:
        assert any(example.startswith((f"zoo {name}", f"{name} ")) for example in COMMANDS), name


def test_every_command_and_option_is_in_the_reference(run, commands):
    for name in commands:
        assert f"`{name}`" in TEXTS["README.md"], name
        for option in re.findall(r"^  (--[\w-]+)", run("zoo", name, "--help").stdout, flags=re.M):
            assert option == "--help" or f"`{option}" in TEXTS["cli/README.md"], f"{name} {option}"


@pytest.mark.parametrize("name", TEXTS)
def test_pictures_and_files_that_it_names_exist(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", TEXTS[name])):
        path, _, anchor = target.partition("#")
        if path.startswith(("http:", "https:")):
            continue
        linked = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert linked.exists(), target
        if anchor:
            assert anchor in headings(linked), target


def headings(path):
    """Anchors of a Markdown file, as GitHub makes them."""
    lines = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text(encoding="utf-8")), flags=re.M)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}
