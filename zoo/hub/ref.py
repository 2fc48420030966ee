"""Parse model references: folders, snapshots, and Hub ids."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePath

from zoo.base.files import check_utf8
from zoo.errors import UsageError, ZooError, did_you_mean
from zoo.model_folder.folder import MODELS, model_folders
from zoo.model_folder.snapshots import find_snapshot

# A branch, tag or commit.
REVISION = re.compile(r"(?!.*\.\.)\w[\w./+-]*")
_HUB_ID = re.compile(rf"(?P<repo>[\w-][\w.-]*/[\w.-]+)(@(?P<revision>{REVISION.pattern}))?")


@dataclass(frozen=True)
class HubRef:
    """A repository on the Hub at a revision.

    Args:
        repo_id: repository `owner/name`.
        revision: branch, tag, or commit; the main branch if None.
    """

    repo_id: str
    revision: str | None = None

    def __str__(self) -> str:
        return self.repo_id if self.revision is None else f"{self.repo_id}@{self.revision}"


@dataclass(frozen=True)
class HubFile:
    """A file on the Hub.

    Args:
        size: size in bytes.
        digest: sha256 of an LFS file, or git blob hash of a small file.
    """

    size: int
    digest: str


def parse_ref(ref: str) -> Path | HubRef:
    """Parse a model reference: an existing folder, one of its snapshots, or else a Hub id.

    A name in a folder of models, such as `models/mine`, is never a Hub id. With `hf://` it always is one.

    Args:
        ref: path of a folder, also with `@epoch10`, or `owner/name[@revision]`, or `hf://owner/name[@revision]`.

    Returns:
        The folder, or the repository.

    Raises:
        ZooError: the text is not a model reference.
    """
    check_utf8(ref)
    try:
        if ref and Path(ref).is_dir():
            return Path(ref)
        if snapshot := find_snapshot(ref):
            return snapshot
        is_file, parent = Path(ref).exists(), Path(ref).parent
        neighbours = model_folders(parent)
    except OSError:
        is_file, parent, neighbours = False, Path(), []
    match = _HUB_ID.fullmatch(ref.removeprefix("hf://"))
    if match is None or is_file:
        near = did_you_mean(ref, {*neighbours, *model_folders(Path(MODELS))})
        raise ZooError(
            f"expected a model folder or a Hub id OWNER/NAME[@REVISION], got {ref[:200]!r}"
            + (near or "; `zoo list` shows local models, and `zoo train --out FOLDER` writes one.")
        )
    if neighbours or (parent == Path(MODELS) and parent.is_dir()):
        near = did_you_mean(ref, neighbours) or "; `zoo list` shows local models."
        raise ZooError(f"expected a model folder, but there is no {ref}{near} Write hf://{ref} for a model on the Hub.")
    return HubRef(match["repo"], match["revision"])


def parse_hub_id(text: str) -> HubRef | None:
    """Parse `owner/name[@revision]`, whatever files there are; None for other texts.

    Example:
        >>> parse_hub_id("me/shallow@v1"), parse_hub_id("/etc/passwd")
        (HubRef(repo_id='me/shallow', revision='v1'), None)
    """
    match = _HUB_ID.fullmatch(text)
    return HubRef(match["repo"], match["revision"]) if match else None


def parse_data_ref(text: str) -> HubRef:
    """Parse the Hub id of a dataset.

    Args:
        text: `owner/name[@revision]`.

    Raises:
        ZooError: the text is not a Hub id.
    """
    ref = parse_hub_id(text)
    if ref is None:
        raise UsageError(f"expected a dataset hf:OWNER/NAME[@REVISION], got {text[:200]!r}; correct --dataset.")
    return ref


def public_ref(ref: str) -> str:
    """A reference to a model without the folders above it on this machine, as results store it.

    Example:
        >>> public_ref("/home/me/models/shallow"), public_ref("models/shallow"), public_ref("hf://me/shallow")
        ('shallow', 'models/shallow', 'hf://me/shallow')
        >>> public_ref("py:/home/me/nets.py:small")
        'py:nets.py:small'
    """
    kind, path = ("py:", ref.removeprefix("py:")) if ref.startswith("py:") else ("", ref)
    return kind + (PurePath(path).name if PurePath(path).is_absolute() else path)
