import shutil
import subprocess
from pathlib import Path

import pytest

import zoo.base.versions
from zoo.base.versions import commit, versions


def git(folder, *arguments):
    who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    return subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout that the program runs from."""
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    monkeypatch.setattr(zoo.base.versions, "ROOT", tmp_path)
    commit.cache_clear()
    yield tmp_path
    commit.cache_clear()


def test_commit_is_that_of_the_checkout_and_says_if_files_differ(checkout):
    head = git(checkout, "rev-parse", "HEAD").strip()
    assert commit() == {"commit": head}
    assert versions()["commit"] == head
    commit.cache_clear()
    (checkout / "code.py").write_text("2")
    assert commit() == {"commit": f"{head}-dirty"}


def test_folder_without_checkout_has_no_commit(checkout, monkeypatch):
    (checkout / "site-packages").mkdir()
    monkeypatch.setattr(zoo.base.versions, "ROOT", checkout / "site-packages")
    assert commit() == {}


def test_broken_checkout_has_no_commit(checkout):
    shutil.rmtree(checkout / ".git")
    Path(checkout / ".git").write_text("gitdir: /nowhere")
    assert commit() == {}
