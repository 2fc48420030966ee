"""The folder of a static site, with a list of its files, so that foreign or changed files are never overwritten."""

from pathlib import Path

import msgspec

from zoo.base.files import file_sha256, names_in, read_file, writing
from zoo.base.foreign import JSON_ERRORS
from zoo.errors import ZooError

CONTENTS = "contents.json"
FORMAT_VERSION = 1
# Largest list of files, in bytes.
MAX_CONTENTS = 100_000_000


class Contents(msgspec.Struct):
    """The list of files in a site.

    Args:
        program: name of the program that wrote the site.
        format_version: version of this layout.
        files: sha256 of each file by path within the folder, except for this list.
    """

    program: str
    format_version: int
    files: dict[str, str]


def seal(folder: Path) -> None:
    """Write the list of files of a site.

    Args:
        folder: folder of the site, with all of its files.
    """
    files = {name: file_sha256(path) for name, path in _files(folder).items()}
    contents = msgspec.json.encode(Contents("resnet-zoo", FORMAT_VERSION, files))
    (folder / CONTENTS).write_bytes(msgspec.json.format(contents) + b"\n")


def check_site(out: Path) -> None:
    """Check that a site can be written to a path without losing foreign files.

    Args:
        out: path of the site.

    Raises:
        ZooError: the path exists, and is neither an empty folder nor an unchanged site of this program.
    """
    names = names_in(out)
    if names == set():
        return
    written = contents(out) if names is not None and CONTENTS in names else None
    if written is None:
        raise ZooError(f"expected a new folder or a site of `zoo site`, got {out}; choose another folder.")
    with writing(out, "another folder"):
        for name, path in _files(out).items():
            if path.is_symlink() or file_sha256(path) != written.files.get(name):
                raise ZooError(
                    f"{path} was added or changed since `zoo site` ran, and would be lost; move it, or choose another "
                    "folder."
                )


def contents(folder: Path) -> Contents | None:
    """Read the list of files of a site; None if the folder is not a site of this program."""
    try:
        listed = msgspec.json.decode(read_file(folder / CONTENTS, MAX_CONTENTS), type=Contents)
    except (OSError, ZooError, *JSON_ERRORS):
        return None
    return listed if (listed.program, listed.format_version) == ("resnet-zoo", FORMAT_VERSION) else None


def _files(folder: Path) -> dict[str, Path]:
    """All files by path within the folder, except for the list of files."""
    files = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = {path.relative_to(folder).as_posix(): path for path in sorted(files)}
    return {name: path for name, path in names.items() if name != CONTENTS}
