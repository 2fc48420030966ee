"""The folder of a static site: it tells what is in it, so that nothing but what this program wrote is ever replaced."""

from pathlib import Path

import msgspec

from zoo.base.files import file_sha256, names_in, writing
from zoo.errors import ZooError

CONTENTS = "contents.json"
FORMAT_VERSION = 1


class Contents(msgspec.Struct):
    """What this program wrote.

    Args:
        program: that wrote it.
        format_version: version of this layout.
        files: sha256 by path within the folder, all but this list.
    """

    program: str
    format_version: int
    files: dict[str, str]


def seal(folder: Path) -> None:
    """Write down what is in a folder.

    Args:
        folder: of a site that is otherwise whole.
    """
    files = {name: file_sha256(path) for name, path in _files(folder).items()}
    contents = msgspec.json.encode(Contents("resnet-zoo", FORMAT_VERSION, files))
    (folder / CONTENTS).write_bytes(msgspec.json.format(contents) + b"\n")


def check_site(out: Path) -> None:
    """Refuse a place where no site may be written.

    Args:
        out: nothing, an empty folder, or a site of this program's in which nothing was changed.

    Raises:
        ZooError: something else.
    """
    names = names_in(out)
    if names == set():
        return
    written = contents(out) if names is not None and CONTENTS in names else None
    if written is None:
        raise ZooError(f"expected a new folder, or a site of `zoo site`, got {out}, which is neither; choose another.")
    with writing(out, "another folder"):
        for name, path in _files(out).items():
            if path.is_symlink() or file_sha256(path) != written.files.get(name):
                raise ZooError(
                    f"{path} would be lost, which `zoo site` did not write; move it, or choose another folder."
                )


def contents(folder: Path) -> Contents | None:
    """What this program wrote into a folder; None if it does not say so."""
    try:
        found = msgspec.json.decode((folder / CONTENTS).read_bytes(), type=Contents)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return found if (found.program, found.format_version) == ("resnet-zoo", FORMAT_VERSION) else None


def _files(folder: Path) -> dict[str, Path]:
    """By path within the folder, all but the list of them."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = {path.relative_to(folder).as_posix(): path for path in sorted(found)}
    return {name: path for name, path in names.items() if name != CONTENTS}
