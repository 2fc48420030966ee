"""Model references: folders, snapshots, and Hub ids."""

import re
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ZooError
from zoo.model_folder.snapshots import find_snapshot

# A branch, tag or commit.
REVISION = re.compile(r"(?!.*\.\.)\w[\w./+-]*")
_HUB_ID = re.compile(rf"(?P<repo>[\w-][\w.-]*/[\w.-]+)(@(?P<revision>{REVISION.pattern}))?")


@dataclass(frozen=True)
class HubRef:
    """A model repository at a branch, tag or commit; at its main branch if the revision is None."""

    repo_id: str
    revision: str | None = None

    def __str__(self) -> str:
        return self.repo_id if self.revision is None else f"{self.repo_id}@{self.revision}"


@dataclass(frozen=True)
class HubFile:
    """What the Hub says of a file: its size in bytes, and sha256 of large or git's hash of small ones."""

    size: int
    digest: str


def parse_ref(ref: str) -> Path | HubRef:
    """Tell what a model reference means: a folder that exists, one of its snapshots, or else a Hub id.

    Args:
        ref: path of a folder, also with `@epoch10`, or `owner/name[@revision]`, or `hf://owner/name[@revision]`.

    Raises:
        ZooError: it is none of these.
    """
    try:
        if ref and Path(ref).is_dir():
            return Path(ref)
        if snapshot := find_snapshot(ref):
            return snapshot
        taken = Path(ref).exists()
    except OSError:
        taken = False
    match = _HUB_ID.fullmatch(ref.removeprefix("hf://"))
    if match is None or taken:
        raise ZooError(
            f"expected a model folder or a Hub id OWNER/NAME[@REVISION], got {ref[:200]!r}, which is neither; "
            "`zoo list` shows what is here, and `zoo train --out FOLDER` writes a model folder."
        )
    return HubRef(match["repo"], match["revision"])


def parse_data_ref(text: str) -> HubRef:
    """A data set on the Hub.

    Args:
        text: `owner/name[@revision]`.

    Raises:
        ZooError: it is none.
    """
    match = _HUB_ID.fullmatch(text)
    if match is None:
        raise ZooError(f"expected a data set hf:OWNER/NAME[@REVISION], got {text[:200]!r}; mend --dataset.")
    return HubRef(match["repo"], match["revision"])
