"""The options of a question as the command line has them, so that both give one key in the cache."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from cli.service.store.records import Kind
from cli.terminal.analysis_options import Baseline, MatrixOptions, PairOptions
from cli.terminal.options import ImageOptions

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


def image_options(values: Mapping[str, Any]) -> ImageOptions:
    """How the images of a question are used.

    Args:
        values: `Question.options`.
    """
    return _chosen(ImageOptions, values)


def similarity_options(kind: Kind, values: Mapping[str, Any]) -> MatrixOptions:
    """How the models of a question are compared: `PairOptions` of two, `MatrixOptions` of several.

    Args:
        kind: `Question.kind`.
        values: `Question.options`.

    Raises:
        ZooError: the layers are an empty list.
    """
    if "baseline" in values:
        values = {**values, "baseline": Baseline(values["baseline"])}
    return _chosen(PairOptions if kind == Kind.comparison else MatrixOptions, values)


# Not `msgspec.convert`: it leaves out attributes that have defaults, and then they are missing in cache keys.
def _chosen(kind: type[Options], values: Mapping[str, Any]) -> Options:
    return kind(**{field.name: values[field.name] for field in fields(kind) if field.name in values})
