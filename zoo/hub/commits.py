"""Resolve branches and tags on the Hub to commits, online and offline."""

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


# Seconds to wait for the Hub's answer, which takes about a second.
TIMEOUT = 30.0
COMMIT, _SHORT = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{7,39}")


def get_repo_info(client: "HfApi", ref: "HubRef", repo_type: str = "model") -> Any:
    """Get information about a repository at a revision, which may be an abbreviated commit hash.

    Args:
        client: client of the Hub.
        ref: repository and revision.
        repo_type: `model` or `dataset`.

    Returns:
        `ModelInfo` or `DatasetInfo` of the client, with metadata of files.
    """
    from huggingface_hub.errors import RevisionNotFoundError

    try:
        return client.repo_info(
            ref.repo_id, revision=ref.revision, repo_type=repo_type, files_metadata=True, timeout=TIMEOUT
        )
    except RevisionNotFoundError:
        if ref.revision is None or not _SHORT.fullmatch(ref.revision):
            raise
        commits = [commit.commit_id for commit in client.list_repo_commits(ref.repo_id, repo_type=repo_type)]
        matches = [commit for commit in commits if commit.startswith(ref.revision)]
        if len(matches) != 1:
            raise
        return client.repo_info(
            ref.repo_id, revision=matches[0], repo_type=repo_type, files_metadata=True, timeout=TIMEOUT
        )


def commit_of(ref: "HubRef", info: "ModelInfo | DatasetInfo") -> str:
    """Get the full commit hash from the Hub's answer.

    Args:
        ref: repository and revision, for the message.
        info: answer of the Hub.

    Raises:
        ZooError: the answer has no commit.
    """
    commit = info.sha or ""
    if not COMMIT.fullmatch(commit):
        raise ZooError(f"{ref}: expected a commit from the Hub, got {commit[:60]!r}; check HF_ENDPOINT and try again.")
    return commit


def cache_commit(ref: "HubRef", commit: str, repo_type: str) -> None:
    """Write the commit of a branch or tag to the client's cache, for offline use.

    Args:
        ref: repository and revision.
        commit: full commit hash.
        repo_type: `model` or `dataset`.
    """
    if COMMIT.fullmatch(ref.revision or "main"):
        return
    file = ref_file(ref, repo_type)
    # Not essential, so errors are ignored.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, commit.encode())


def ref_file(ref: "HubRef", repo_type: str) -> Path:
    """File in the client's cache that holds the commit of a branch or tag.

    Args:
        ref: repository and revision.
        repo_type: `model` or `dataset`.

    Source:
        huggingface.co/docs/huggingface_hub/guides/manage-cache: the folder `refs`.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=ref.repo_id, repo_type=repo_type)
    return folder / "refs" / (ref.revision or "main")
