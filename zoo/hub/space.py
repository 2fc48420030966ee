"""Publish a folder as a Space on the Hub, in one commit: a static site, or a service in a container."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zoo.base.sealed_folder import CONTENTS, contents
from zoo.errors import ZooError
from zoo.hub.client import logged_in
from zoo.hub.errors import hub_errors
from zoo.hub.fetch import content_hash
from zoo.hub.publish import Published, check_target, refuse_public

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import SpaceInfo


Sdk = Literal["static", "docker"]
_KIND = "space"
# The commands that publish Spaces.
_WRITERS = {"static": "zoo site", "docker": "zoo serve --push-space"}
# Files that the Hub creates in a new Space.
_INITIAL = {".gitattributes", "README.md"}


def check_space(repo_id: str, *, sdk: Sdk = "static", private: bool = False) -> None:
    """Check that the user may publish to a Space, before long work.

    Args:
        repo_id: Space `owner/name`.
        sdk: what the Space runs.
        private: whether the Space must be private.

    Raises:
        ZooError: the user may not push, the Space is public although `private` is set, or another program wrote it.
    """
    check_target(repo_id)
    client = logged_in(repo_id)
    with hub_errors(repo_id):
        if client.repo_exists(repo_id, repo_type=_KIND):
            _check_replaceable(client, repo_id, sdk, private)


def push_space(folder: Path, repo_id: str, *, sdk: Sdk = "static", private: bool = False) -> Published:
    """Upload a sealed folder to a Space in one commit; the Space is created if it does not exist.

    Files of an earlier upload are deleted. No commit is made if nothing has changed.

    Args:
        folder: the folder, with the list of its files that `zoo.base.sealed_folder.seal` writes.
        repo_id: Space `owner/name`.
        sdk: what the Space runs.
        private: create a new Space as private.

    Returns:
        URL and commit, and whether it is a new commit.

    Raises:
        ZooError: the folder is not a site, the Space cannot be replaced, or someone else pushed at the same time.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    written = contents(folder)
    if written is None:
        raise ZooError(f"expected a site of `zoo site`, got {folder}; run `zoo site` first.")
    client = logged_in(repo_id)
    with hub_errors(repo_id):
        client.create_repo(repo_id, repo_type=_KIND, space_sdk=sdk, private=private or None, exist_ok=True)
        before = _check_replaceable(client, repo_id, sdk, private)
        hashes = {file.rfilename: file.lfs.sha256 if file.lfs else file.blob_id or "" for file in before.siblings or ()}
        names, old_names = [CONTENTS, *written.files], _listed_files(client, repo_id, before)
        new = [name for name in names if content_hash(folder / name, hashes.get(name, "")) != hashes.get(name)]
        obsolete = set(hashes) & set(old_names) - set(names)
        commit = before.sha
        if new or obsolete:
            additions = [CommitOperationAdd(name, folder / name) for name in new]
            deletions = [CommitOperationDelete(name) for name in sorted(obsolete)]
            commit = client.create_commit(
                repo_id,
                [*additions, *deletions],
                repo_type=_KIND,
                commit_message=f"Publish {folder.resolve().name} with resnet-zoo",
                # The Hub rejects the commit if someone else pushed since.
                parent_commit=before.sha,
            ).oid
    return Published(f"{client.endpoint}/spaces/{repo_id}", str(commit), bool(new or obsolete), {})


def _listed_files(client: "HfApi", repo_id: str, info: "SpaceInfo") -> dict[str, str]:
    """Files that this program wrote into a Space: sha256 by name."""
    if CONTENTS not in {file.rfilename for file in info.siblings or ()}:
        return {}
    path = client.hf_hub_download(repo_id, CONTENTS, repo_type=_KIND, revision=info.sha)
    written = contents(Path(path).parent)
    return written.files if written else {}


def _check_replaceable(client: "HfApi", repo_id: str, sdk: Sdk, private: bool) -> "SpaceInfo":
    """Get information about a Space, and check that it may be replaced."""
    info = client.space_info(repo_id, files_metadata=True)
    names = {file.rfilename for file in info.siblings or ()}
    if info.sdk != sdk or (CONTENTS not in names and names - _INITIAL):
        raise ZooError(f"{repo_id} is a Space that `{_WRITERS[sdk]}` did not write; choose another name.")
    if private:
        refuse_public(repo_id, info)
    return info
