"""Publish a site as a static Space of the Hub, in one commit."""

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.base.sealed_folder import CONTENTS, contents
from zoo.errors import ZooError
from zoo.hub.client import logged_in
from zoo.hub.errors import hub_errors
from zoo.hub.fetch import content_hash
from zoo.hub.publish import Published, check_target

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import SpaceInfo


_KIND = "space"
# What the Hub puts into a new Space by itself.
_INITIAL = {".gitattributes", "README.md"}


def check_space(repo_id: str, *, private: bool = False) -> None:
    """Find out before long work whether this user may publish a site there.

    Args:
        repo_id: `owner/name`.
        private: whether it is to be for its owner's eyes alone.

    Raises:
        ZooError: as `zoo.hub.publish.check_target`, or there is a Space that this program did not write.
    """
    check_target(repo_id)
    client = logged_in(repo_id)
    with hub_errors(repo_id):
        if client.repo_exists(repo_id, repo_type=_KIND):
            _replaceable(client, repo_id, private)


def push_space(folder: Path, repo_id: str, *, private: bool = False) -> Published:
    """Make a site the content of a Space, which is made if there is none; in no commit if nothing has changed.

    Args:
        folder: a site.
        repo_id: `owner/name`.
        private: whether a new Space is for its owner's eyes alone.

    Raises:
        ZooError: it is no site, or as `check_space`, or somebody else pushed meanwhile.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    written = contents(folder)
    if written is None:
        raise ZooError(f"expected a site of `zoo site`, got {folder}, which is none.")
    client = logged_in(repo_id)
    with hub_errors(repo_id):
        client.create_repo(repo_id, repo_type=_KIND, space_sdk="static", private=private or None, exist_ok=True)
        before = _replaceable(client, repo_id, private)
        there = {file.rfilename: file.lfs.sha256 if file.lfs else file.blob_id or "" for file in before.siblings or ()}
        names, old = [CONTENTS, *written.files], _list_of(client, repo_id, before)
        new = [name for name in names if content_hash(folder / name, there.get(name, "")) != there.get(name)]
        gone = set(there) & set(old) - set(names)
        commit = before.sha
        if new or gone:
            added = [CommitOperationAdd(name, folder / name) for name in new]
            commit = client.create_commit(
                repo_id,
                [*added, *(CommitOperationDelete(name) for name in sorted(gone))],
                repo_type=_KIND,
                commit_message=f"Publish {folder.resolve().name} with resnet-zoo",
                # Somebody else's commit in between is to be refused, not buried.
                parent_commit=before.sha,
            ).oid
    return Published(f"{client.endpoint}/spaces/{repo_id}", str(commit), bool(new or gone), ())


def _list_of(client: "HfApi", repo_id: str, found: "SpaceInfo") -> dict[str, str]:
    """What this program wrote into a Space, if it did: sha256 by name."""
    if CONTENTS not in {file.rfilename for file in found.siblings or ()}:
        return {}
    path = client.hf_hub_download(repo_id, CONTENTS, repo_type=_KIND, revision=found.sha)
    written = contents(Path(path).parent)
    return written.files if written else {}


def _replaceable(client: "HfApi", repo_id: str, private: bool) -> "SpaceInfo":
    """What is there, unless it must stay."""
    found = client.space_info(repo_id, files_metadata=True)
    names = {file.rfilename for file in found.siblings or ()}
    if found.sdk != "static" or (CONTENTS not in names and names - _INITIAL):
        raise ZooError(f"{repo_id} is a Space that `zoo site` did not write; choose another name.")
    if private and not found.private:
        raise ZooError(f"{repo_id} is public already; make it private on its page, or push without --private.")
    return found
