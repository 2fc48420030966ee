"""Which columns of a table hold the images and the labels, and the classes that the labels mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.base.files import clean_name
from zoo.errors import ZooError
from zoo.record.names import Columns

if TYPE_CHECKING:
    from datasets import Dataset

# Preferred columns if there are several of images or labels.
IMAGES, LABELS = ("image", "img"), ("label", "fine_label", "labels")
# Columns of labels without class names; `cls` is that of WebDataset.
PLAIN_LABELS = ("label", "labels", "cls")
_PLAIN_TYPES = ("int", "uint", "string", "large_string", "bool", "float", "double")


@dataclass(frozen=True)
class ChosenColumns:
    """The columns of a table that are used.

    Args:
        image: name of the column of images.
        label: name of the column of labels.
        notes: messages about other columns that could be meant.
    """

    image: str
    label: str
    notes: tuple[str, ...]


def choose_columns(features: Mapping[str, Any], what: str, columns: Columns) -> ChosenColumns:
    """Choose the columns of images and of labels.

    Args:
        features: types of the columns by name, of the `datasets` library.
        what: the dataset, for messages.
        columns: the columns to use; None for the only ones, or those with usual names.

    Raises:
        ZooError: there is no such column, or several could be meant.
    """
    from datasets import ClassLabel, Image

    images = [name for name, kind in features.items() if isinstance(kind, Image)]
    named = [name for name, kind in features.items() if isinstance(kind, ClassLabel)]
    plain = [name for name, kind in features.items() if _is_plain(kind)]
    usual = [*named, *(name for name in PLAIN_LABELS if name in plain)]
    all_names = ", ".join(list(features)[:12])
    for_images = _Search("images", "--image-column", images, images, IMAGES)
    for_labels = _Search("class labels", "--label-column", [*named, *plain], usual, LABELS)
    image, label = for_images.choose(columns.image, what, all_names), for_labels.choose(columns.label, what, all_names)
    notes = (*for_images.note(columns.image, image), *for_labels.note(columns.label, label))
    return ChosenColumns(image, label, notes)


@dataclass(frozen=True)
class _Search:
    """The search for a column.

    Args:
        kind: what the column holds.
        option: option that chooses it.
        possible: columns that can hold it.
        usual: columns that probably do.
        preferred: names of columns that are used if several probably do.
    """

    kind: str
    option: str
    possible: Sequence[str]
    usual: Sequence[str]
    preferred: Sequence[str]

    def choose(self, given: str | None, what: str, all_names: str) -> str:
        if given is not None and given not in self.possible:
            raise ZooError(
                f"expected a column of {self.kind} in {what}, got {given!r} of the columns {all_names}; choose another "
                f"with {self.option}."
            )
        if given is not None or len(self.usual) == 1:
            return given or self.usual[0]
        choice = next((name for name in self.preferred if name in self.usual), None)
        if choice is None:
            got = ", ".join(self.usual[:8]) or f"the columns {all_names}"
            raise ZooError(
                f"expected one column of {self.kind} in {what}, got {got}; choose one with {self.option}, or another "
                "dataset."
            )
        return choice

    def note(self, given: str | None, used: str) -> Iterator[str]:
        others = [name for name in self.usual if name != used]
        if others and given is None:
            yield f"the {self.kind} are those of column {used}, not {', '.join(others[:8])} (see {self.option})."


def _is_plain(kind: Any) -> bool:
    from datasets import Value

    return isinstance(kind, Value) and kind.dtype.startswith(_PLAIN_TYPES)


def read_labels(
    datasets: "Mapping[str, Dataset]", column: str, what: str
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Read the class names, and the labels of each split; missing labels are -1.

    Labels without class names become their own names: texts, whole numbers, or `False` and `True`.

    Args:
        datasets: the splits.
        column: name of the column of labels.
        what: the dataset, for messages.

    Raises:
        ZooError: a label has no class.
    """
    from datasets import ClassLabel

    feature = next(iter(datasets.values())).features[column]
    values = {split: data.data.column(column).combine_chunks() for split, data in datasets.items()}
    if isinstance(feature, ClassLabel):
        names = tuple(feature.names)
        labels = {split: part.fill_null(-1).to_numpy(zero_copy_only=False) for split, part in values.items()}
    else:
        lists = {split: [_plain(value, column, what) for value in part.to_pylist()] for split, part in values.items()}
        distinct = sorted({value for part in lists.values() for value in part} - {None})
        numbers = {value: number for number, value in enumerate(distinct)} | {None: -1}
        names = tuple(map(str, distinct))
        labels = {split: np.array([numbers[value] for value in part], dtype=np.int64) for split, part in lists.items()}
    if any((part >= len(names)).any() for part in labels.values()):
        raise ZooError(f"expected labels below {len(names)}, the number of classes of {what}, got larger ones.")
    printable = tuple(map(clean_name, names))
    if len(set(printable)) < len(set(names)):
        raise ZooError(
            f"expected names of classes in {what} that differ in characters that can be printed; rename them."
        )
    return printable, {split: part.astype(np.int64) for split, part in labels.items()}


def _plain(value: Any, column: str, what: str) -> Any:
    """A label as it is, but 2 for 2.0 and None for NaN."""
    if not isinstance(value, float):
        return value
    if value != value:
        return None
    if not value.is_integer():
        raise ZooError(
            f"expected classes in column {column} of {what}, got the number {value:g}; choose another with "
            "--label-column."
        )
    return int(value)
