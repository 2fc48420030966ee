"""Completion in the shell, as the shell asks for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def complete(here):
    """Completes the last word of a command line in a folder with two models."""
    for name in ("models/deep-s0", "models/wide-s0", "models/.hidden"):
        (here / name).mkdir(parents=True)
        (here / name / "config.json").touch()
    (here / "models/notes").mkdir()

    def complete(line):
        script, words = line.split()[0], line.split(" ")
        request = {
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            f"_{script.upper()}_COMPLETE": "complete_bash",
        }
        code = (
            f"import sys; sys.argv = [{script!r}]; from cli import app\n"
            f"try: app.{script}()\n"
            "finally: assert not {'torch', 'numpy', 'huggingface_hub'} & set(sys.modules)"
        )
        environment = os.environ | request | {"PYTHONPATH": str(Path(__file__).parents[3])}
        ran = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=here, capture_output=True, text=True, check=True
        )
        return ran.stdout.split()

    return complete


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("compare ", ["models/deep-s0", "models/wide-s0"]),
        ("compare models/deep-s0 models/w", ["models/wide-s0"]),
        ("zoo groups --a models/d", ["models/deep-s0"]),
        ("zoo train --dataset mn", ["mnist5k", "mnist5k:14", "mnist5k:8"]),
        ("zoo matrix --layers ", ["all", "blocks", "stages"]),
        ("zoo doc", ["doctor"]),
    ],
)
def test_the_shell_completes(complete, line, words):
    assert complete(line) == words
