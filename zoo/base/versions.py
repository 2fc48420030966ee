"""Which program, libraries and commit a result comes from. Needs no torch."""

import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(sys.modules["zoo"].__path__[0]).parent


def versions() -> dict[str, str]:
    """Of the program and the libraries that training depends on, with the commit if there is one."""
    packages = {name: version(name) for name in ("resnet-zoo", "torch", "numpy")}
    return packages | {"python": platform.python_version()} | commit()


@cache
def commit() -> dict[str, str]:
    """The git commit under `commit` if the program runs from a checkout, ending in -dirty if files differ from it."""
    # What stands above an installed package may be a checkout too, but somebody else's.
    if not (ROOT / ".git").exists():
        return {}
    command = ["git", "--no-optional-locks", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        told = subprocess.run([*command, "--exclude=*"], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": told.stdout.strip()}
