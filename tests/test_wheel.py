"""A wheel holds all that the program needs."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("zoo", "compare", "cards", "cli")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A fresh environment with the wheel of this checkout, and the libraries of this one."""
    root = tmp_path_factory.mktemp("wheel")
    source = root / "source"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", root, source], check=True)
    venv.create(root / "env", with_pip=False)
    python = root / "env" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", *root.glob("*.whl")], check=True)
    (library,) = (root / "env" / "lib").glob("python*/site-packages")
    # A path file is not searched for further path files, so an editable install of this checkout stays out.
    (library / "libraries.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    shutil.rmtree(source)
    return root / "env" / "bin"


def run(installed, folder, script, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [installed / script, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_wheel_runs_without_the_checkout(installed, folders, tmp_path):
    where = "import zoo.family.timm_hook, cli.app; print(zoo.family.timm_hook.__file__, cli.app.__file__)"
    assert str(ROOT) not in run(installed, tmp_path, "python", "-c", where)
    assert "compare" in run(installed, tmp_path, "zoo", "--help")
    assert "175,626" in run(installed, tmp_path, "zoo", "variants")
    run(installed, tmp_path, "compare", *folders, "--layers", "blocks", "--html", "page.html")
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!DOCTYPE html>")
