"""Superclasses from a file: two columns, a class and the group that it belongs to."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cli.output import short
from zoo.errors import ZooError


def read_superclasses(path: Path, classes: Sequence[str]) -> dict[str, str]:
    """The superclass of every class.

    Args:
        path: a CSV file with a class and its superclass in each row; a first row that begins with `class` is a header.
        classes: names of the data's classes, of which each must be there once.

    Raises:
        ZooError: no such file, other than two columns, an unknown class, one that comes twice, or one that is missing.
    """
    known, found = set(classes), dict[str, str]()
    for number, row in _rows(path):
        if len(row) != 2 or not all(row):
            raise ZooError(
                f"expected a class and its superclass in each row of {path}, got {len(row)} in row {number}."
            )
        name, superclass = row
        if number == 1 and name.casefold() == "class" and name not in known:
            continue
        if name not in known:
            raise ZooError(f"expected classes of the data in {path}, got {short(name)!r} in row {number}.")
        if name in found:
            raise ZooError(f"expected each class once in {path}, got {short(name)!r} again in row {number}.")
        found[name] = superclass
    if missing := [name for name in classes if name not in found]:
        raise ZooError(
            f"expected a superclass for each of the {len(classes)} classes in {path}, got none for {_some(missing)}."
        )
    return found


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, with their number from 1."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if row:
                    yield number, [cell.strip() for cell in row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ZooError(
            f"expected --superclasses to be a CSV file in UTF-8, but cannot read {path}: {error}."
        ) from error


def _some(names: Sequence[str]) -> str:
    shown: Iterable[str] = (repr(short(name)) for name in names[:3])
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
