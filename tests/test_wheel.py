"""A wheel holds everything the program needs."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("zoo", "compare", "cards", "cli")
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
# Both tests on one worker, which builds the wheel once.
GROUP = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built from a copy that is gone afterwards."""
    root = tmp_path_factory.mktemp("wheel")
    source = root / "source"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", root, source], check=True)
    shutil.rmtree(source)
    (wheel,) = root.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel):
    """A new environment with the wheel, which also sees the libraries of this environment."""
    environment = wheel.parent / "env"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    subprocess.run([*PIP, "--python", python, "install", "--no-deps", wheel], check=True)
    (library,) = (environment / "lib").glob("python*/site-packages")
    # Python does not follow path files found through a path file, so the editable install of this checkout stays out.
    (library / "libraries.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return environment / "bin"


def run(installed, folder, script, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [installed / script, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
@GROUP
def test_wheel_holds_every_module_and_template(wheel):
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    paths += (ROOT / "cards" / "page" / "templates").iterdir()
    service = (ROOT / "cli" / "service").rglob("*")
    paths += [path for path in service if path.is_file() and "__pycache__" not in path.parts]
    with zipfile.ZipFile(wheel) as archive:
        missing = {path.relative_to(ROOT).as_posix() for path in paths} - set(archive.namelist())
    assert missing == set()


@pytest.mark.slow
@GROUP
def test_wheel_runs_without_the_checkout(installed, folders, tmp_path):
    where = "import zoo.family.import_hooks, cli.app; print(zoo.family.import_hooks.__file__, cli.app.__file__)"
    assert str(ROOT) not in run(installed, tmp_path, "python", "-c", where)
    assert "compare" in run(installed, tmp_path, "zoo", "--help")
    assert "175,626" in run(installed, tmp_path, "zoo", "variants")
    run(installed, tmp_path, "compare", *folders, "--layers", "blocks", "--html", "page.html")
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!DOCTYPE html>")
