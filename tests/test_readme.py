"""What README shows is run as it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.image_files import write_folder

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
def test_every_example_runs_in_order(hub, run, here):
    write_folder(here / "pets", per_class=40)
    for command in COMMANDS:
        ran = run(*shlex.split(command))
        assert ran.code == 0, ran.stderr
    assert (here / "report.png").is_file()
    for code in blocks("python"):
        subprocess.run([sys.executable, "-c", code], check=True)


def test_every_command_has_an_example(run):
    for line in run("zoo", "--help").stdout.split("Commands:")[1].splitlines():
        if line.strip():
            name = line.split()[0]
            assert any(command.startswith((f"zoo {name}", name)) for command in COMMANDS), name


def test_pictures_and_files_that_it_names_exist():
    root = Path(__file__).parent.parent
    for name in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (root / name).is_file()
