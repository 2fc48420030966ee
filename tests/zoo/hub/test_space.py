"""Publishing a site as a static Space, in one commit, without replacing foreign Spaces."""

import pytest
from huggingface_hub import HfApi

from cards.pages.site import site_card
from tests.support.pages import several
from zoo.base.sealed_folder import seal
from zoo.errors import ZooError
from zoo.hub.space import check_space, push_space

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


@pytest.fixture
def site(tmp_path):
    """A small one."""
    folder = tmp_path / "my-site"
    (folder / "pairs").mkdir(parents=True)
    (folder / "README.md").write_text(site_card(several((9, 9))))
    for name in ("index.html", "pairs/a--b.html", "pairs/a--c.html"):
        (folder / name).write_text(f"<!DOCTYPE html>{name}")
    seal(folder)
    return folder


def held(hub, repo_id):
    return {name: data for name, data in hub.files(repo_id, kind="space").items() if name != ".gitattributes"}


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_site_is_uploaded_unchanged_in_one_commit(hub, site):
    done = push_space(site, "me/zoo")
    assert held(hub, "me/zoo") == contents(site)
    assert len(hub.commits("me/zoo", kind="space")) == 2
    assert (done.url, done.changed) == (f"{hub.url}/spaces/me/zoo", True)
    assert HfApi().space_info("me/zoo").sdk == "static"
    assert ("model", "me/zoo") not in hub.repos


def test_unchanged_site_makes_no_commit_and_another_site_replaces_it(hub, site):
    first = push_space(site, "me/zoo")
    again = push_space(site, "me/zoo")
    assert (again.commit, again.changed) == (first.commit, False)
    (site / "pairs/a--c.html").unlink()
    (site / "index.html").write_text("new")
    seal(site)
    assert push_space(site, "me/zoo").changed
    assert held(hub, "me/zoo") == contents(site)
    assert len(hub.commits("me/zoo", kind="space")) == 3


def test_space_of_another_program_is_not_replaced(hub, site):
    HfApi().create_repo("me/app", repo_type="space", space_sdk="gradio")
    hub.seed("me/page", {"README.md": "---\nsdk: static\n---\n", "index.html": "mine"}, kind="space")
    for name in ("me/app", "me/page"):
        before = held(hub, name)
        for act in (lambda name=name: check_space(name), lambda name=name: push_space(site, name)):
            with pytest.raises(ZooError, match="is a Space that `zoo site` did not write; choose another name"):
                act()
        assert held(hub, name) == before


def test_private_space_is_created_and_public_one_is_refused(hub, site):
    check_space("me/zoo", private=True)
    push_space(site, "me/zoo", private=True)
    assert hub.repo("me/zoo", "space").private
    push_space(site, "lab/open")
    with pytest.raises(ZooError, match="lab/open is public already"):
        check_space("lab/open", private=True)


def test_concurrent_commit_is_not_overwritten(hub, site):
    push_space(site, "me/zoo")
    (site / "index.html").write_text("new")
    seal(site)
    hub.meanwhile("POST", r"/commit/", lambda: hub.seed("me/zoo", {"notes.txt": "theirs"}, kind="space"))
    with pytest.raises(ZooError, match="someone else changed it at the same time"):
        push_space(site, "me/zoo")
    assert held(hub, "me/zoo")["notes.txt"] == b"theirs"
    (site / "pairs/a--c.html").unlink()
    seal(site)
    push_space(site, "me/zoo")
    assert held(hub, "me/zoo") == contents(site) | {"notes.txt": b"theirs"}


def test_private_models_do_not_go_into_a_public_space_unasked(hub, run, folders, tmp_path):
    for folder in folders:
        assert run("zoo", "push", folder, f"me/{folder.name}", "--private").code == 0
    ran = run("zoo", "site", tmp_path / "site", "--hub", "me", "--push-space", "lab/zoo")
    assert (ran.code, ran.stdout) == (1, "")
    assert "is private, but the Space would be public; add --private, or name the models" in ran.stderr


def test_missing_push_permission_is_reported_before_the_work(hub, run, folders, tmp_path, monkeypatch):
    for space, code, message in (
        ("you/zoo", 1, "you may push to me or lab"),
        ("nobody", 2, "expected a repository as OWNER/NAME"),
    ):
        ran = run("zoo", "site", tmp_path / "site", *folders, "--push-space", space)
        assert (ran.code, message in ran.stderr) == (code, True)
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    ran = run("zoo", "site", tmp_path / "site", *folders, "--push-space", "reader/zoo")
    assert (ran.code, "your token is read-only" in ran.stderr) == (1, True)
    assert not (tmp_path / "site").exists()


def test_from_published_models_to_a_published_site(hub, run, folders, tmp_path):
    for folder in folders:
        assert run("zoo", "push", folder, f"me/{folder.name}").code == 0
    asked = ("--hub", "me", "--layers", "blocks", "--max-examples", 60, "--push-space", "lab/zoo")
    ran = run("zoo", "site", tmp_path / "site", *asked)
    assert ran.code == 0, ran.stderr
    assert ran.stdout.endswith(f"{hub.url}/spaces/lab/zoo {hub.commits('lab/zoo', kind='space')[0].oid}\n")
    files = held(hub, "lab/zoo")
    assert files == contents(tmp_path / "site")
    assert sorted(HfApi().space_info("lab/zoo").card_data["models"]) == ["me/a", "me/b"]
    assert {"pairs/me-a--me-b.html", "pairs/me-b--me-a.html"} & set(files)
    again = run("zoo", "site", tmp_path / "site", *asked)
    assert "nothing has changed since the last commit" in again.stderr
