"""Name the file or row of each example in a result. Needs no torch."""

import os
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, NamedTuple, TypeVar

from compare.result.disagreement import Example
from compare.result.inside import DominantExample

Result = TypeVar("Result")


class Source(NamedTuple):
    """Where an example comes from.

    Attributes:
        path: file of the example, relative to the folder of the dataset; None if it has none. Bytes that are not UTF-8
            are replaced by U+FFFD, so that it can be written as JSON.
        row: row of the example in the split; None if it has none.
    """

    path: str | None
    row: int | None


def find_source(batches: Iterable[Any]) -> Callable[[int], Source] | None:
    """How to find the file or row of an example by its index; None if the batches do not know it.

    Args:
        batches: minibatches with methods `path(index)` and `row(index)`, which return None if there is no file or row.
    """
    path, row = getattr(batches, "path", None), getattr(batches, "row", None)
    if not callable(path) or not callable(row):
        return None

    @cache
    def find(index: int) -> Source:
        file = path(index)
        return Source(None if file is None else _utf8(file), row(index))

    return find


def with_sources(result: Result, batches: Iterable[Any]) -> Result:
    """Add the file or row of each example, if the batches know them as those of `zoo.images` do.

    Args:
        result: any result dataclass.
        batches: minibatches with methods `path(index)` and `row(index)`; others leave the result unchanged.
    """
    find = find_source(batches)
    return result if find is None else _add(result, find)


def _add(value: Any, find: Callable[[int], Source]) -> Any:
    if isinstance(value, Example | DominantExample):
        return replace(value, **find(value.index)._asdict())
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _add(getattr(value, field.name), find) for field in fields(value)})
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return tuple(_add(item, find) for item in value)
    return value


def _utf8(path: str) -> str:
    return os.fsencode(path).decode(errors="replace")
