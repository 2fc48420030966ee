"""Versions of the program, its libraries, and its commit. Needs no torch."""

import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(sys.modules["zoo"].__path__[0]).parent


def versions() -> dict[str, str]:
    """Versions of the program and the libraries that training depends on, and the commit if known."""
    packages = {name: version(name) for name in ("resnet-zoo", "torch", "numpy")}
    return packages | {"python": platform.python_version()} | commit()


@cache
def commit() -> dict[str, str]:
    """The git commit as `commit`, with `-dirty` for a changed checkout; empty if not run from a checkout."""
    # Look in this folder only: an installed package may lie within the checkout of another project.
    if not (ROOT / ".git").exists():
        return {}
    command = ["git", "--no-optional-locks", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        process = subprocess.run([*command, "--exclude=*"], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": process.stdout.strip()}
