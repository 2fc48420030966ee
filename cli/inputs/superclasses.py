"""Superclasses: the groups that classes belong to, from a table of two columns or a data set on the Hub."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cli.terminal.output import short
from zoo.base.files import file_sha256
from zoo.errors import ZooError
from zoo.hub.errors import hub_errors
from zoo.record.names import hub_id

# As CIFAR-100 has them on the Hub.
CIFAR100 = "cifar100"
COLUMNS = ("fine_label", "coarse_label")
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def find_superclasses(source: str, classes: Sequence[str]) -> dict[str, str]:
    """The superclass of every class.

    Args:
        source: a CSV file, or the name or Hub id of a data set with fine and coarse labels.
        classes: names of the data's classes.

    Raises:
        ZooError: as `read_superclasses` and `hub_superclasses`.
    """
    if _is_file(source):
        return read_superclasses(Path(source), classes)
    return hub_superclasses(hub_id(source) or source, classes)


def own_superclasses(dataset: str) -> str | None:
    """Where the superclasses of a data set are, if it has its own; as `find_superclasses` takes it."""
    return CIFAR100 if hub_id(dataset) == hub_id(CIFAR100) else None


def content(source: str | None) -> str | None:
    """What decides the superclasses beside the name of their source: of a file, its sha256.

    A data set on the Hub is taken to keep its classes.

    Raises:
        ZooError: there is no such file.
    """
    if source is None or not _is_file(source):
        return None
    try:
        return file_sha256(Path(source))
    except OSError as error:
        raise _unreadable(Path(source), error) from error


def _is_file(source: str) -> bool:
    return Path(source).exists() or not _HUB_ID.fullmatch(hub_id(source) or source)


def hub_superclasses(repo_id: str, classes: Sequence[str]) -> dict[str, str]:
    """The superclass of every class, from a data set such as `uoft-cs/cifar100`.

    Args:
        repo_id: of a data set on the Hub, whose test split has the columns `fine_label` and `coarse_label`.
        classes: names of the data's classes, of which each must be there.

    Raises:
        ZooError: there is no such data set, or it has no such labels, others, or a class in two superclasses.
    """
    from datasets import ClassLabel, disable_progress_bars, load_dataset

    disable_progress_bars()
    with hub_errors(f"data set {repo_id}"):
        data = load_dataset(repo_id, split="test")
    if not all(isinstance(data.features.get(column), ClassLabel) for column in COLUMNS):
        raise ZooError(
            f"expected class labels {' and '.join(COLUMNS)} in {repo_id}, got {', '.join(list(data.features)[:8])}."
        )
    fine, coarse = (data.features[column].names for column in COLUMNS)
    pairs = {(fine[i], coarse[j]) for i, j in zip(*(data[column] for column in COLUMNS), strict=True)}
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ZooError(f"expected each class of {repo_id} in one superclass, got one in several.")
    return {name: superclass for name, superclass in _complete(found, classes, repo_id).items() if name in classes}


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
    return _complete(found, classes, path)


def _complete(found: dict[str, str], classes: Sequence[str], where: str | Path) -> dict[str, str]:
    if missing := [name for name in classes if name not in found]:
        raise ZooError(
            f"expected a superclass for each of the {len(classes)} classes in {where}, got none for {_some(missing)}."
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
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ZooError:
    return ZooError(f"expected --superclasses to be a CSV file in UTF-8, but cannot read {path}: {error}.")


def _some(names: Sequence[str]) -> str:
    shown: Iterable[str] = (repr(short(name)) for name in names[:3])
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
