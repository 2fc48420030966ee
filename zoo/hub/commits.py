"""Commits of repositories on the Hub: which one a branch or tag means, now and offline."""

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.base.files import replace_file
from zoo.errors import ZooError

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import DatasetInfo, ModelInfo

    from zoo.hub.ref import HubRef


COMMIT, _SHORT = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{7,39}")


def look_up(client: "HfApi", ref: "HubRef", repo_type: str = "model") -> Any:
    """What the Hub says of a revision, which may be the beginning of a commit's hash, as lists show it.

    Args:
        client: of the Hub.
        ref: a repository, at some revision.
        repo_type: `model` or `dataset`.

    Returns:
        What the client returns for that type.
    """
    from huggingface_hub.errors import RevisionNotFoundError

    try:
        return client.repo_info(ref.repo_id, revision=ref.revision, repo_type=repo_type, files_metadata=True)
    except RevisionNotFoundError:
        if ref.revision is None or not _SHORT.fullmatch(ref.revision):
            raise
        commits = [commit.commit_id for commit in client.list_repo_commits(ref.repo_id, repo_type=repo_type)]
        full = [commit for commit in commits if commit.startswith(ref.revision)]
        if len(full) != 1:
            raise
        return client.repo_info(ref.repo_id, revision=full[0], repo_type=repo_type, files_metadata=True)


def commit_of(ref: "HubRef", info: "ModelInfo | DatasetInfo") -> str:
    """The full hash of what the Hub found.

    Raises:
        ZooError: the Hub gave none.
    """
    commit = info.sha or ""
    if not COMMIT.fullmatch(commit):
        raise ZooError(f"{ref}: the Hub gave no commit, got {commit[:60]!r}; check HF_ENDPOINT and try again.")
    return commit


def remember(ref: "HubRef", commit: str, repo_type: str) -> None:
    """Note in the client's cache which commit a branch or tag meant, for use offline."""
    if COMMIT.fullmatch(ref.revision or "main"):
        return
    note = note_of(ref, repo_type)
    # A convenience, which must not be in the way.
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        replace_file(note, commit.encode())


def note_of(ref: "HubRef", repo_type: str) -> Path:
    """Where the client's cache says which commit a branch or tag means.

    Source:
        huggingface.co/docs/huggingface_hub/guides/manage-cache: the folder `refs`.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=ref.repo_id, repo_type=repo_type)
    return folder / "refs" / (ref.revision or "main")
