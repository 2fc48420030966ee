"""Read the superclasses of classes from a CSV file or a dataset on the Hub."""

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from cli.terminal.output import short
from zoo.base.files import file_sha256, read_file
from zoo.base.foreign import decode_text
from zoo.errors import ZooError
from zoo.hub.errors import hub_errors
from zoo.record.names import hub_id, split_columns

# The dataset with superclasses of its own, and the label columns that it has on the Hub.
CIFAR100 = "cifar100"
# Largest CSV file, in bytes.
MAX_BYTES = 10_000_000
COLUMNS = ("fine_label", "coarse_label")
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def find_superclasses(source: str, classes: Sequence[str]) -> dict[str, str]:
    """The superclass of every class.

    Args:
        source: a CSV file, or the name or Hub id of a dataset with fine and coarse labels.
        classes: class names of the images.

    Returns:
        Superclasses by class.

    Raises:
        ZooError: the source cannot be read, or does not have a superclass for each class.
    """
    if _is_file(source):
        return read_superclasses(Path(source), classes)
    return hub_superclasses(hub_id(source) or source, classes)


def own_superclasses(dataset: str) -> str | None:
    """The source of a dataset's own superclasses, for `find_superclasses`; None if it has none."""
    fine = split_columns(dataset)[1].label in (None, COLUMNS[0])
    return CIFAR100 if fine and hub_id(dataset) == hub_id(CIFAR100) else None


def content(source: str | None) -> str | None:
    """The hash of a CSV file of superclasses, for cache keys; None for a dataset on the Hub.

    The classes of a dataset on the Hub are assumed not to change.

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
    """The superclass of every class, from a dataset such as `uoft-cs/cifar100`.

    Args:
        repo_id: a dataset on the Hub whose test split has the columns `fine_label` and `coarse_label`.
        classes: class names of the images.

    Raises:
        ZooError: there is no such dataset, it lacks these columns or a class, or a class has two superclasses.
    """
    from datasets import ClassLabel, disable_progress_bars, load_dataset

    disable_progress_bars()
    with hub_errors(f"dataset {repo_id}"):
        data = load_dataset(repo_id, split="test")
    if not all(isinstance(data.features.get(column), ClassLabel) for column in COLUMNS):
        raise ZooError(
            f"expected class labels {' and '.join(COLUMNS)} in {repo_id}, got {', '.join(list(data.features)[:8])}."
        )
    fine, coarse = (data.features[column].names for column in COLUMNS)
    pairs = {(fine[i], coarse[j]) for i, j in zip(*(data[column] for column in COLUMNS), strict=True)}
    superclasses = dict(pairs)
    if len(superclasses) < len(pairs):
        raise ZooError(f"expected each class of {repo_id} in one superclass, got one in several.")
    _check_complete(superclasses, classes, repo_id)
    return {name: superclass for name, superclass in superclasses.items() if name in classes}


def read_superclasses(path: Path, classes: Sequence[str]) -> dict[str, str]:
    """The superclass of every class, from a CSV file.

    Args:
        path: a CSV file with a class and its superclass in each row; a first row that begins with `class` is a header.
        classes: class names of the images.

    Raises:
        ZooError: the file cannot be read, has other than two columns, or has an unknown, repeated, or missing class.
    """
    known_classes, superclasses = set(classes), dict[str, str]()
    for number, row in _rows(path):
        if len(row) != 2 or not all(row):
            raise ZooError(
                f"expected a class and its superclass in each row of {path}, got {len(row)} in row {number}."
            )
        name, superclass = row
        if number == 1 and name.casefold() == "class" and name not in known_classes:
            continue
        if name not in known_classes:
            raise ZooError(f"expected classes of the dataset in {path}, got {short(name)!r} in row {number}.")
        if name in superclasses:
            raise ZooError(f"expected each class once in {path}, got {short(name)!r} again in row {number}.")
        superclasses[name] = superclass
    _check_complete(superclasses, classes, path)
    return superclasses


def _check_complete(superclasses: dict[str, str], classes: Sequence[str], source: str | Path) -> None:
    if missing := [name for name in classes if name not in superclasses]:
        raise ZooError(
            f"expected a superclass for each of the {len(classes)} classes in {source}, got none for "
            f"{_first_names(missing)}."
        )


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with row numbers from 1."""
    try:
        lines = StringIO(decode_text(read_file(path, MAX_BYTES)), newline="")
        for number, row in enumerate(csv.reader(lines), 1):
            if row:
                yield number, [cell.strip() for cell in row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ZooError:
    return ZooError(f"expected --superclasses to be a CSV file in UTF-8, but cannot read {path}: {error}.")


def _first_names(names: Sequence[str]) -> str:
    first = (repr(short(name)) for name in names[:3])
    return ", ".join(first) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
