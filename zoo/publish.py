"""Publish model folders on the Hub: one commit, checked afterwards, and never a pickle."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ZooError
from zoo.folder import CARD, WEIGHTS, replace_file, writing
from zoo.hub import HubRef, content_hash, hub_client, pin
from zoo.hub_errors import hub_errors
from zoo.record import MARKER

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# Where a card names its repository.
_NAMED = re.compile(rb'"hf-hub:([\w.-]+/[\w.-]+)"')
_REF = re.compile(r"(?!.*\.\.)\w[\w./+-]*")
_PICKLES = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth")


@dataclass(frozen=True)
class Published:
    """What became of a push.

    Args:
        url: of the repository.
        commit: full hash of the commit that holds the folder.
        changed: whether it is a new one.
        left_out: files that were not uploaded, because they are pickles or hidden.
    """

    url: str
    commit: str
    changed: bool
    left_out: tuple[str, ...]


def logged_in(repo_id: str) -> "HfApi":
    """A client with a token, for a repository whose name is well formed; asks the Hub nothing.

    Raises:
        ZooError: the name is malformed, or there is no token.
    """
    from huggingface_hub import get_token
    from huggingface_hub.utils import validate_repo_id

    with hub_errors(repr(repo_id[:200])):
        validate_repo_id(repo_id)
    if "/" not in repo_id:
        raise ZooError(f"expected a repository as OWNER/NAME, got {repo_id!r}; OWNER is your name on the Hub.")
    if get_token() is None:
        raise ZooError(f"{repo_id}: publishing takes a token, and there is none; log in with `hf auth login`.")
    return hub_client(bars=True)


def check_target(repo_id: str, *, private: bool = False) -> None:
    """Find out before long work whether this user may push to a repository.

    Args:
        repo_id: `owner/name`.
        private: whether it is to be for its owner's eyes alone.

    Raises:
        ZooError: as `logged_in`, or the token is not valid, the owner is somebody else, or the repository is public.
    """
    client, owner = logged_in(repo_id), repo_id.split("/")[0]
    with hub_errors(repo_id):
        me = client.whoami()
    names = [me["name"], *(org["name"] for org in me.get("orgs", ()))]
    if owner not in names:
        raise ZooError(f"{repo_id}: you may push to {' or '.join(names)}, not to {owner}; choose another owner.")
    with hub_errors(repo_id):
        if private and client.repo_exists(repo_id):
            _refuse_public(client, repo_id)


def push(
    folder: Path,
    repo_id: str,
    *,
    private: bool = False,
    revision: str | None = None,
    tag: str | None = None,
    message: str | None = None,
) -> Published:
    """Upload a model folder as it is, in one commit; in none if nothing has changed.

    The repository, and the branch, are made if they do not exist. Files that only the repository has stay there. The
    card's examples are made to name this repository first, in the folder too.

    Args:
        folder: a model folder that loads.
        repo_id: `owner/name`.
        private: whether a new repository is for its owner's eyes alone.
        revision: branch; main if None.
        tag: name for the commit, such as `v1`.
        message: of the commit.

    Raises:
        ZooError: the folder holds no model, this user may not push, the repository is public but was to be private, the
            tag marks another commit, somebody else pushed meanwhile, or the Hub holds other weights in the end.
    """
    from zoo.checkpoint import load_checkpoint

    client = logged_in(repo_id)
    for option, name in (("--revision", revision), ("--tag", tag)):
        if name is not None and not _REF.fullmatch(name):
            raise ZooError(f"{option} must be of letters, digits and single - _ . / + inside, got {name!r}.")
    load_checkpoint(folder)
    paths, left_out = _files(folder)
    before = _head(client, repo_id, private, revision)
    _check_tag(client, repo_id, tag, before)
    _name_owner(folder / CARD, repo_id)
    commit = _commit(client, repo_id, folder, paths, before, revision, message)
    _check_weights(folder, HubRef(repo_id, commit))
    if tag is not None:
        _tag(client, repo_id, tag, commit)
    return Published(f"{client.endpoint}/{repo_id}", commit, commit != before, left_out)


def _files(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """What is to be uploaded, and the names of what is not."""
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    hidden = [name for name in names if any(part.startswith(".") for part in name.parts)]
    left_out = [name for name in names if name not in hidden and _is_pickle(folder / name)]
    kept = [name for name in names if name not in hidden and name not in left_out]
    return kept, tuple(map(str, left_out))


def _is_pickle(path: Path) -> bool:
    """By its name, its first bytes, or, as torch writes it, in an archive."""
    if path.suffix in _PICKLES:
        return True
    with path.open("rb") as file:
        beginning = file.read(2)
    if zipfile.is_zipfile(path):
        return any(name.endswith(".pkl") for name in zipfile.ZipFile(path).namelist())
    # The opcode PROTO and the number of the protocol.
    return beginning[:1] == b"\x80" and beginning[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _head(client: "HfApi", repo_id: str, private: bool, revision: str | None) -> str | None:
    """The commit to build upon, of a repository and a branch that exist from now on; None if it is empty."""
    with hub_errors(repo_id):
        client.create_repo(repo_id, private=private or None, exist_ok=True)
        if private:
            _refuse_public(client, repo_id)
        if revision is not None:
            client.create_branch(repo_id, branch=revision, exist_ok=True)
        return client.model_info(repo_id, revision=revision).sha


def _refuse_public(client: "HfApi", repo_id: str) -> None:
    if not client.model_info(repo_id).private:
        raise ZooError(f"{repo_id} is public already; make it private on its page, or push without --private.")


def _check_tag(client: "HfApi", repo_id: str, tag: str | None, before: str | None) -> None:
    """Refuse a tag that could not be set in the end."""
    if tag is None:
        return
    with hub_errors(repo_id):
        tags = {found.name: found.target_commit for found in client.list_repo_refs(repo_id).tags}
    if tags.get(tag, before) != before:
        raise ZooError(f"{repo_id} has a tag {tag} already, on commit {tags[tag][:7]}; choose another --tag.")


def _name_owner(card: Path, repo_id: str) -> None:
    """Let the examples of a card name the repository that it goes to, not none or the one that it came from."""
    if not card.is_file():
        return
    # Bytes, and only above the marker of a card of ours: the rest is a person's.
    ours, marker, theirs = card.read_bytes().partition(MARKER.encode())
    found = _NAMED.search(ours)
    if not marker or not found:
        return
    named = re.sub(rb"(?<![\w./-])" + re.escape(found[1]) + rb"(?![\w./-])", repo_id.encode(), ours)
    if named != ours:
        with writing(card, "a folder that can be written to"):
            replace_file(card, named + marker + theirs)


def _commit(
    client: "HfApi",
    repo_id: str,
    folder: Path,
    paths: list[Path],
    before: str | None,
    revision: str | None,
    message: str | None,
) -> str:
    from huggingface_hub import CommitOperationAdd

    with hub_errors(repo_id):
        done = client.create_commit(
            repo_id,
            [CommitOperationAdd(path.as_posix(), folder / path) for path in paths],
            commit_message=message or f"Upload {folder.resolve().name} with resnet-zoo",
            revision=revision,
            # Somebody else's commit in between is to be refused, not buried.
            parent_commit=before,
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
