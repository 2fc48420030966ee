"""Publish model folders on the Hub: in one commit, checked afterwards, and without pickles."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.base.files import read_file, replace_file, writing
from zoo.errors import UsageError, ZooError
from zoo.hub.client import account, logged_in
from zoo.hub.errors import hub_errors
from zoo.hub.fetch import Snapshot, content_hash, download, pin
from zoo.hub.ref import REVISION, HubFile, HubRef
from zoo.hub.upload_files import select_files
from zoo.model_folder.card_marker import for_repo
from zoo.model_folder.folder import CARD, MAX_TEXT
from zoo.model_folder.snapshots import folder_of_epoch
from zoo.model_folder.weights import config_files, weight_files

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo, SpaceInfo


# Content of a file: on disk, or in memory.
Content = Path | bytes


@dataclass(frozen=True)
class Published:
    """Result of a push.

    Args:
        url: URL of the repository or branch.
        commit: full hash of the commit that holds the files.
        changed: whether this is a new commit.
        left_out: why other files of the folder are not uploaded, by name, such as `looks like a secret`.
    """

    url: str
    commit: str
    changed: bool
    left_out: Mapping[str, str]


def check_target(repo_id: str, *, private: bool = False) -> None:
    """Check that the user may push to a repository, before long work.

    Args:
        repo_id: repository `owner/name`.
        private: whether the repository must be private.

    Raises:
        ZooError: there is no valid token with write permission, the user may not push for this owner, or the repository
            is public although `private` is set.
    """
    client, owner = logged_in(repo_id), repo_id.split("/")[0]
    me = account(client, repo_id)
    if owner not in me.owners:
        raise ZooError(f"{repo_id}: you may push to {' or '.join(me.owners)}, not to {owner}; choose another owner.")
    if me.role == "read":
        raise ZooError(f"{repo_id}: your token is read-only; log in with a write token: `hf auth login`.")
    with hub_errors(repo_id):
        if private and client.repo_exists(repo_id):
            refuse_public(repo_id, client.model_info(repo_id))


def push(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    revision: str | None = None,
    tag: str | None = None,
    message: str | None = None,
    include: Sequence[str] = (),
    on_files: Callable[[Mapping[str, int]], None] = lambda sizes: None,
) -> Published:
    """Upload a model folder to the Hub in a single commit; no commit is made if nothing has changed.

    A missing repository or branch is created. Files that exist only in the repository are left alone. Before the
    upload, the examples of the model card are changed to name this repository, in the folder too. Only the files that
    the model needs and pictures are uploaded, and those in `include`.

    Args:
        folder: a model folder.
        repo_id: repository `owner/name`.
        private: create a new repository as private.
        revision: branch to commit to; `main` if None.
        tag: tag for the commit, such as `v1`.
        message: commit message; a default one if None.
        include: names of further files, relative to the folder, or patterns such as `reports/*`. Files that look like
            secrets or pickles, hidden files, and hard links need their exact names.
        on_files: called with the sizes in bytes of all files, by name, before an upload.

    Returns:
        URL and commit, whether it is a new commit, and the files that were left out.

    Raises:
        ZooError: the folder is not a valid model, the user may not push, the repository is public although `private` is
            set, the tag marks another commit, someone else pushed at the same time, or the upload was damaged.

    Example:
        >>> import zoo
        >>> zoo.push("models/resnet14-w1-digits-s0", "me/resnet14-w1-digits", tag="v1").url  # doctest: +SKIP
        'https://huggingface.co/me/resnet14-w1-digits'
    """
    folder = Path(folder)
    client = logged_in(repo_id)
    for option, name in (("--revision", revision), ("--tag", tag)):
        if name is not None and not REVISION.fullmatch(name):
            raise UsageError(f"{option} takes letters, digits, and single - _ . / + inside, got {name!r}.")
        if folder_of_epoch(name) is not None:
            raise ZooError(f"{option} {name} is reserved for the snapshot of that epoch; choose another name.")
    _check_loads(folder)
    selection = select_files(folder, include)
    files: dict[str, Content] = dict(selection.files)
    if CARD in files:
        files[CARD] = _card(folder / CARD, repo_id)
    _prepare(client, repo_id, private, revision)
    before = pin(HubRef(repo_id, revision))
    changed = not _holds(before.files or {}, files)
    _check_tag(client, repo_id, tag, None if changed else before.commit)
    if changed:
        on_files(
            {
                name: len(content) if isinstance(content, bytes) else content.stat().st_size
                for name, content in files.items()
            }
        )
    _write_card(folder, files)
    message = message or f"Upload {folder.resolve().name} with resnet-zoo"
    commit = _commit(client, before, files, message) if changed else before.commit
    _check_weights(folder, HubRef(repo_id, commit))
    if tag is not None:
        _tag(client, repo_id, tag, commit)
    branch = f"/tree/{revision}" if revision else ""
    return Published(f"{client.endpoint}/{repo_id}{branch}", commit, changed, selection.left_out)


def push_files(
    repo_id: str, files: Mapping[str, bytes], edits: Mapping[str, Callable[[bytes], bytes]], message: str
) -> Published:
    """Add and edit files of an existing repository in one commit; no commit is made if nothing changes.

    Args:
        repo_id: repository `owner/name`.
        files: content of new files by name.
        edits: functions by name that map the old content of a file to the new one; the old content of a missing file is
            empty.
        message: commit message.

    Raises:
        ZooError: the repository does not exist, the user may not push, or someone else pushed at the same time.
    """
    client = logged_in(repo_id)
    before = pin(HubRef(repo_id))
    old = before.files or {}
    edited = {name: edit(download(before, name).read_bytes() if name in old else b"") for name, edit in edits.items()}
    new = dict(files) | edited
    changed = not _holds(old, new)
    commit = _commit(client, before, new, message) if changed else before.commit
    return Published(f"{client.endpoint}/{repo_id}", commit, changed, {})


def _check_loads(folder: Path) -> None:
    from zoo.model_folder.checkpoint import load_checkpoint

    load_checkpoint(folder)
    links = [path for path in (*weight_files(folder), *config_files(folder)) if path.is_symlink()]
    if links:
        raise ZooError(
            f"{links[0]} is a symlink, as in the Hub's cache; copy the model (`zoo pull --out`) and push the copy."
        )


def _card(path: Path, repo_id: str) -> bytes:
    card = read_file(path, MAX_TEXT)
    try:
        card.decode()
    except UnicodeDecodeError as error:
        raise ZooError(f"expected UTF-8 in {path}, got other bytes ({error.reason}); convert it.") from error
    return for_repo(card, repo_id)


def _prepare(client: "HfApi", repo_id: str, private: bool, revision: str | None) -> None:
    """Create the repository and the branch if they do not exist."""
    with hub_errors(repo_id):
        # None selects the organisation's default visibility.
        client.create_repo(repo_id, private=private or None, exist_ok=True)
        if private:
            refuse_public(repo_id, client.model_info(repo_id))
        if revision is not None:
            client.create_branch(repo_id, branch=revision, exist_ok=True)


def refuse_public(repo_id: str, info: "ModelInfo | SpaceInfo") -> None:
    """Check that a repository that exists is private.

    Args:
        repo_id: repository `owner/name`.
        info: what the Hub says about it.

    Raises:
        ZooError: it is public.
    """
    if not info.private:
        raise ZooError(f"{repo_id} is public already; make it private on its page, or push without --private.")


def _holds(hub_files: Mapping[str, HubFile], files: Mapping[str, Content]) -> bool:
    """Whether the Hub already has all of these files."""
    return all(
        name in hub_files and content_hash(content, like=hub_files[name].digest) == hub_files[name].digest
        for name, content in files.items()
    )


def _check_tag(client: "HfApi", repo_id: str, tag: str | None, commit: str | None) -> None:
    """Check that a tag can be set on a commit, or on a new commit if None."""
    if tag is None:
        return
    with hub_errors(repo_id):
        tags = {each.name: each.target_commit for each in client.list_repo_refs(repo_id).tags}
    if tags.get(tag, commit) != commit:
        raise ZooError(f"{repo_id} already has a tag {tag}, on commit {tags[tag][:7]}; choose another --tag.")


def _write_card(folder: Path, files: Mapping[str, Content]) -> None:
    """Write the uploaded model card, which names the repository, to the folder."""
    path, card = folder / CARD, files.get(CARD)
    if isinstance(card, bytes) and card != path.read_bytes():
        with writing(path, "a writable folder"):
            replace_file(path, card)


def _commit(client: "HfApi", before: Snapshot, files: Mapping[str, Content], message: str) -> str:
    from huggingface_hub import CommitOperationAdd

    repo_id = before.ref.repo_id
    with hub_errors(repo_id):
        info = client.create_commit(
            repo_id,
            [CommitOperationAdd(name, content) for name, content in files.items()],
            commit_message=message,
            revision=before.ref.revision,
            # The Hub rejects the commit if someone else pushed since.
            parent_commit=before.commit,
        )
    return str(info.oid)


def _check_weights(folder: Path, ref: HubRef) -> None:
    """Compare the hash of the uploaded weights with that of the local file."""
    files = pin(ref).files or {}
    for path in weight_files(folder):
        digest = files[path.name].digest if path.name in files else "none"
        if digest != content_hash(path, like=digest):
            raise ZooError(
                f"{ref}: the uploaded {path.name} has another hash ({digest[:12]}...) than the file in {folder}; "
                "push again."
            )


def _tag(client: "HfApi", repo_id: str, tag: str, commit: str) -> None:
    with hub_errors(f"{repo_id} is uploaded as {commit[:7]}, but its tag {tag} is not set"):
        client.create_tag(repo_id, tag=tag, revision=commit, exist_ok=True)
        tags = {each.name: each.target_commit for each in client.list_repo_refs(repo_id).tags}
    if tags.get(tag) != commit:
        raise ZooError(
            f"{repo_id} is uploaded as {commit[:7]}, but the tag {tag} stays on an older commit; choose another --tag."
        )
