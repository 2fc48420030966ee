"""The installed package as a wheel, so that a Space runs the code that published it."""

import base64
import hashlib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

NAME = "resnet-zoo"
PACKAGES = ("zoo", "compare", "cards", "cli")
_WHEEL = "Wheel-Version: 1.0\nGenerator: resnet-zoo\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(folder: Path) -> Path:
    """Write the installed package as a wheel. Equal code gives equal bytes.

    Args:
        folder: an existing folder.

    Returns:
        Path of the wheel.

    Source:
        The binary distribution format, https://packaging.python.org/specifications/binary-distribution-format
    """
    package = distribution(NAME)
    stem = f"{NAME.replace('-', '_')}-{package.version}"
    path = folder / f"{stem}-py3-none-any.whl"
    record = ""
    with ZipFile(path, "w", ZIP_DEFLATED) as wheel:
        for name, data in (*_code(), *_metadata(package, f"{stem}.dist-info")):
            # The date of an entry without one is 1980.
            wheel.writestr(ZipInfo(name), data, ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(data)}\n"
        name = f"{stem}.dist-info/RECORD"
        wheel.writestr(ZipInfo(name), f"{record}{name},,\n", ZIP_DEFLATED)
    return path


def _code() -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files of all packages."""
    for package in PACKAGES:
        root = Path(__import__(package).__path__[0])
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            if path.is_file() and path.suffix not in (".pyc", ".md", ".png") and "__pycache__" not in inside.parts:
                yield f"{package}/{inside.as_posix()}", path.read_bytes()


def _metadata(package: Distribution, folder: str) -> Iterator[tuple[str, bytes]]:
    # An editable installation has an egg-info folder, whose metadata is in another file.
    metadata = package.read_text("METADATA") or package.read_text("PKG-INFO") or ""
    yield f"{folder}/METADATA", metadata.encode()
    yield f"{folder}/WHEEL", _WHEEL.encode()
    yield f"{folder}/entry_points.txt", (package.read_text("entry_points.txt") or "").encode()
