"""Publish a model folder and print what was uploaded."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.terminal.output import interruptible, say, show_commit
from zoo.model_folder.folder import CARD

# At most this many of the files that are left out for one reason are named.
MOST_NAMED = 5


def publish(
    folder: Path,
    repo_id: str,
    *,
    private: bool,
    revision: str | None = None,
    tag: str | None = None,
    message: str | None = None,
    include: Sequence[str] = (),
) -> None:
    """Push a model folder, and print its URL and commit on stdout.

    Args:
        folder: the model folder.
        repo_id: repository on the Hub, as OWNER/NAME.
        private: whether a new repository is private.
        revision: branch to push to; None for `main`.
        tag: tag for the commit; None for none.
        message: commit message; None for a default.
        include: names or patterns of further files to upload.

    Raises:
        ZooError: the folder is no model folder, or the upload failed or was interrupted.
    """
    from zoo.hub.publish import push as push_folder

    with interruptible("the upload may be incomplete. Push again"):
        pushed = push_folder(
            folder,
            repo_id,
            private=private,
            revision=revision,
            tag=tag,
            message=message,
            include=include,
            on_files=_list_files,
        )
    for reason, names in _by_reason(pushed.left_out).items():
        say(f"left out, since it {reason}: {names}. --include NAME adds a file.")
    if not (folder / CARD).is_file():
        say(f"there is no {CARD}, so `zoo list` cannot find the model on the Hub; `zoo card {folder}` writes one.")
    show_commit(pushed.url, pushed.commit, pushed.changed)


def _list_files(sizes: Mapping[str, int]) -> None:
    """Say what will be uploaded: names, sizes, and their total."""
    say(f"uploading {len(sizes)} files, {_size(sum(sizes.values()))}:")
    for name, size in sizes.items():
        say(f"  {name}  {_size(size)}")


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"


def _by_reason(left_out: Mapping[str, str]) -> dict[str, str]:
    """The first names of files that were left out, by reason."""
    names: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        names.setdefault(reason, []).append(name)
    return {
        reason: ", ".join(some[:MOST_NAMED]) + (f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else "")
        for reason, some in names.items()
    }
