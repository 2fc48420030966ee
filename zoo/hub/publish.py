"""Publish model folders on the Hub: one commit, checked afterwards, and never a pickle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.base.files import replace_file, writing
from zoo.errors import ZooError
from zoo.hub.client import account, logged_in
from zoo.hub.errors import hub_errors
from zoo.hub.fetch import Snapshot, content_hash, download, pin
from zoo.hub.ref import REVISION, HubFile, HubRef
from zoo.model_folder.card_marker import for_repo
from zoo.model_folder.folder import CARD, CONFIG, WEIGHTS
from zoo.model_folder.snapshots import folder_of_epoch

if TYPE_CHECKING:
    from huggingface_hub import HfApi


# What goes on the Hub: kinds of files that no library unpickles when it reads them.
_KINDS = (
    *(".safetensors", ".onnx", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".csv", ".tsv", ".parquet", ".arrow"),
    *(".md", ".txt", ".rst", ".log", ".html", ".pdf", ".bib", ".cff", ".py", ".sh", ".ipynb"),
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"),
)
_PLAIN_NAMES = ("LICENSE", "NOTICE", "README", "CITATION", "AUTHORS", "CHANGELOG")


# A file's content: on the disk, or in memory.
Content = Path | bytes


@dataclass(frozen=True)
class Published:
    """What became of a push.

    Args:
        url: of the repository, or of the branch.
        commit: full hash of the commit that holds the folder.
        changed: whether it is a new one.
        left_out: files that were not uploaded: pickles, what may be one, and links; hidden files are not told.
    """

    url: str
    commit: str
    changed: bool
    left_out: tuple[str, ...]


def check_target(repo_id: str, *, private: bool = False) -> None:
    """Find out before long work whether this user may push to a repository.

    Args:
        repo_id: `owner/name`.
        private: whether it is to be for its owner's eyes alone.

    Raises:
        ZooError: as `logged_in`, or the token is not valid or may only read, the owner is somebody else, or the
            repository is public.
    """
    client, owner = logged_in(repo_id), repo_id.split("/")[0]
    me = account(client, repo_id)
    if owner not in me.owners:
        raise ZooError(f"{repo_id}: you may push to {' or '.join(me.owners)}, not to {owner}; choose another owner.")
    if me.role == "read":
        raise ZooError(f"{repo_id}: your token may only read; log in with one that may write: `hf auth login`.")
    with hub_errors(repo_id):
        if private and client.repo_exists(repo_id):
            _refuse_public(client, repo_id)


def push(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    revision: str | None = None,
    tag: str | None = None,
    message: str | None = None,
) -> Published:
    """Upload a model folder to the Hub in a single commit; no commit is made if nothing has changed.

    A missing repository or branch is created. Files that exist only in the repository are left alone. Before the
    upload, the examples of the model card are changed to name this repository, in the folder too. Pickles, files of
    unknown type, symlinks, and hidden files are not uploaded.

    Args:
        folder: a model folder.
        repo_id: repository `owner/name`.
        private: create a new repository as private.
        revision: branch to commit to; `main` if None.
        tag: tag for the commit, such as `v1`.
        message: commit message; a default one if None.

    Returns:
        URL and commit, whether it is a new commit, and the files that were skipped.

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
            raise ZooError(f"{option} must be of letters, digits and single - _ . / + inside, got {name!r}.")
        if folder_of_epoch(name) is not None:
            raise ZooError(f"{option} {name} would mean the snapshot of that epoch; choose another name.")
    _check_loads(folder)
    files, left_out = _files(folder, repo_id)
    _prepare(client, repo_id, private, revision)
    before = pin(HubRef(repo_id, revision))
    changed = not _holds(before.files or {}, files)
    _check_tag(client, repo_id, tag, None if changed else before.commit)
    _write_card(folder, files)
    message = message or f"Upload {folder.resolve().name} with resnet-zoo"
    commit = _commit(client, before, files, message) if changed else before.commit
    _check_weights(folder, HubRef(repo_id, commit))
    if tag is not None:
        _tag(client, repo_id, tag, commit)
    branch = f"/tree/{revision}" if revision else ""
    return Published(f"{client.endpoint}/{repo_id}{branch}", commit, changed, left_out)


def push_files(
    repo_id: str, files: Mapping[str, bytes], edits: Mapping[str, Callable[[bytes], bytes]], message: str
) -> Published:
    """Add files to a repository that exists, and edit others, in one commit; in none if nothing changes.

    Args:
        repo_id: `owner/name`.
        files: contents by name.
        edits: what becomes of the content of a file, which is empty if there is none yet.
        message: of the commit.

    Raises:
        ZooError: there is no such repository, this user may not push, or somebody else pushed meanwhile.
    """
    client = logged_in(repo_id)
    before = pin(HubRef(repo_id))
    there = before.files or {}
    edited = {name: edit(download(before, name).read_bytes() if name in there else b"") for name, edit in edits.items()}
    new = dict(files) | edited
    changed = not _holds(there, new)
    commit = _commit(client, before, new, message) if changed else before.commit
    return Published(f"{client.endpoint}/{repo_id}", commit, changed, ())


def _check_loads(folder: Path) -> None:
    from zoo.model_folder.checkpoint import load_checkpoint

    load_checkpoint(folder)
    linked = [path for path in (folder / WEIGHTS, folder / CONFIG) if path.is_symlink()]
    if linked:
        raise ZooError(
            f"{linked[0]} is a link, as in the Hub's cache; copy the model (`zoo pull --out`), push the copy."
        )


def _files(folder: Path, repo_id: str) -> tuple[dict[str, Content], tuple[str, ...]]:
    """What is to be uploaded, the card with the repository's name in it, and the names of what is not."""
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in found}
    shown = {name: path for name, path in names.items() if not any(part.startswith(".") for part in name.split("/"))}
    kept: dict[str, Content] = {name: path for name, path in shown.items() if _may_go(path)}
    if CARD in kept:
        kept[CARD] = _card(folder / CARD, repo_id)
    return kept, tuple(name for name in shown if name not in kept)


def _card(path: Path, repo_id: str) -> bytes:
    card = path.read_bytes()
    try:
        card.decode()
    except UnicodeDecodeError as error:
        raise ZooError(f"expected a card in UTF-8, got other bytes in {path} ({error.reason}); mend it.") from error
    return for_repo(card, repo_id)


def _may_go(path: Path) -> bool:
    """Whether it is a file of a kind that is not a pickle, also by its first bytes: those of a pickle or an archive."""
    if path.is_symlink() or not (path.suffix.lower() in _KINDS or path.name in _PLAIN_NAMES):
        return False
    with path.open("rb") as file:
        return not file.read(4).startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04"))


def _prepare(client: "HfApi", repo_id: str, private: bool, revision: str | None) -> None:
    """Make the repository and the branch, where they do not exist."""
    with hub_errors(repo_id):
        # Where nothing is said, an organisation's own default holds.
        client.create_repo(repo_id, private=private or None, exist_ok=True)
        if private:
            _refuse_public(client, repo_id)
        if revision is not None:
            client.create_branch(repo_id, branch=revision, exist_ok=True)


def _refuse_public(client: "HfApi", repo_id: str) -> None:
    if not client.model_info(repo_id).private:
        raise ZooError(f"{repo_id} is public already; make it private on its page, or push without --private.")


def _holds(there: Mapping[str, HubFile], files: Mapping[str, Content]) -> bool:
    """Whether the Hub has all of these files already."""
    return all(
        name in there and content_hash(content, like=there[name].digest) == there[name].digest
        for name, content in files.items()
    )


def _check_tag(client: "HfApi", repo_id: str, tag: str | None, commit: str | None) -> None:
    """Refuse a tag that could not be set in the end, on this commit, or on a new one if None."""
    if tag is None:
        return
    with hub_errors(repo_id):
        tags = {found.name: found.target_commit for found in client.list_repo_refs(repo_id).tags}
    if tags.get(tag, commit) != commit:
        raise ZooError(f"{repo_id} has a tag {tag} already, on commit {tags[tag][:7]}; choose another --tag.")


def _write_card(folder: Path, files: Mapping[str, Content]) -> None:
    """Let the folder's card name the repository too."""
    path, card = folder / CARD, files.get(CARD)
    if isinstance(card, bytes) and card != path.read_bytes():
        with writing(path, "a folder that can be written to"):
            replace_file(path, card)


def _commit(client: "HfApi", before: Snapshot, files: Mapping[str, Content], message: str) -> str:
    from huggingface_hub import CommitOperationAdd

    repo_id = before.ref.repo_id
    with hub_errors(repo_id):
        done = client.create_commit(
            repo_id,
            [CommitOperationAdd(name, content) for name, content in files.items()],
            commit_message=message,
            revision=before.ref.revision,
            # Somebody else's commit in between is to be refused, not buried.
            parent_commit=before.commit,
        )
    return str(done.oid)


def _check_weights(folder: Path, ref: HubRef) -> None:
    """Compare what arrived with what was sent."""
    files = pin(ref).files or {}
    found = files[WEIGHTS].digest if WEIGHTS in files else "none"
    if found != content_hash(folder / WEIGHTS, like=found):
        raise ZooError(
            f"{ref}: {WEIGHTS} arrived with another hash ({found[:12]}...) than it has in {folder}; push again."
        )


def _tag(client: "HfApi", repo_id: str, tag: str, commit: str) -> None:
    with hub_errors(f"{repo_id} is uploaded as {commit[:7]}, but its tag {tag} is not set"):
        client.create_tag(repo_id, tag=tag, revision=commit, exist_ok=True)
        tags = {found.name: found.target_commit for found in client.list_repo_refs(repo_id).tags}
    if tags.get(tag) != commit:
        raise ZooError(
            f"{repo_id} is uploaded as {commit[:7]}, but the tag {tag} stays on an older commit; choose another --tag."
        )
