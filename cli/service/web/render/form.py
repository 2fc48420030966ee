"""The fields of the forms: one for each option that a question has, with its description, bounds, and default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cli.service.questions.ask import Choices, MatrixChoices

LABELS = {"max_examples": "Most images", "permutations": "Permutations", "measures": "Further measures"}
# What options mean that are not set.
UNSET = {
    "max_examples": "all",
    "batch_size": "by the number of images",
    "layers": "all, or blocks above 400 layers",
    "tolerance": "never",
}
# Every comparison has this measure.
ALWAYS = "cosine"
KindOfField = Literal["choice", "several", "whole", "number", "text"]
NUMBERS: dict[Any, KindOfField] = {int: "whole", float: "number"}


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Args:
        name: name of the option.
        label: what it is called.
        help: what it does.
        kind: one of several choices, several of them, a whole number, any number, or a text.
        choices: the choices.
        default: its default as text; empty if it is not set.
        unset: what an empty field stands for.
        least: lowest value; None for none.
        most: highest value; None for none.
    """

    name: str
    label: str
    help: str
    kind: KindOfField
    choices: tuple[str, ...]
    default: str
    unset: str
    least: float | None
    most: float | None


def pair_fields() -> tuple[Field, ...]:
    """Fields for the options of a comparison of two models."""
    return _fields(Choices)


def matrix_fields() -> tuple[Field, ...]:
    """Fields for the options of a matrix."""
    return _fields(MatrixChoices)


def options_of(form: Mapping[str, Sequence[str]], fields: Sequence[Field]) -> dict[str, Any]:
    """The options that a form sets, by name. Empty fields, and those that hold their default, are left out.

    Args:
        form: the values of each field, as texts.
        fields: the fields of the options.
    """
    options: dict[str, Any] = {}
    for field in fields:
        values = [value.strip() for value in form.get(field.name, ()) if value.strip()]
        if field.kind == "several" and values:
            options[field.name] = values
        elif values and values[0] != field.default:
            options[field.name] = _value(values[0], field)
    return options


def _value(text: str, field: Field) -> str | int | float:
    """The number that a text stands for; the text itself if it is none, which the check of the question refuses."""
    if field.kind not in ("whole", "number"):
        return text
    try:
        return int(text) if field.kind == "whole" else float(text)
    except ValueError:
        return text


def _fields(options: type[BaseModel]) -> tuple[Field, ...]:
    return tuple(_field(name, info) for name, info in options.model_fields.items())


def _field(name: str, info: FieldInfo) -> Field:
    annotation = next(part for part in _alternatives(info.annotation) if part is not NoneType)
    several = get_origin(annotation) is list
    choices = get_args(get_args(annotation)[0]) if several else get_args(annotation)
    default = info.default
    return Field(
        name,
        LABELS.get(name) or name.replace("_", " ").capitalize(),
        info.description or "",
        "several" if several else "choice" if choices else NUMBERS.get(annotation, "text"),
        tuple(choice for choice in choices if choice != ALWAYS),
        "" if default is None or several else str(default),
        UNSET.get(name, ""),
        _bound(info, "ge"),
        _bound(info, "le"),
    )


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The types in a union, or the one type."""
    return get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)


def _bound(info: FieldInfo, name: Literal["ge", "le"]) -> float | None:
    return next((getattr(bound, name) for bound in info.metadata if hasattr(bound, name)), None)
