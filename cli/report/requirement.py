"""Requirements on the numbers of a comparison, such as `agreement>=0.98` or `accuracy_b >= accuracy_a - 0.01`.

    REQUIREMENT = SUM COMPARISON SUM      COMPARISON = >= | <= | == | != | > | <
    SUM = [+|-] TERM {+|- TERM}           TERM = a number, or the name of a number in the JSON

Names of `disagreement` stand alone, all others are dotted paths, such as `baseline.a.above`. An interval has `value`,
`low`, and `high`. Requirements are parsed, never evaluated as code.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import typer

from cli.terminal.output import Level, say
from compare.result.base import Estimate
from zoo.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from compare.result.comparison import Comparison

EXIT_CODE = 3
# Numbers in this part of the JSON have short names.
_BARE = "disagreement."
_COMPARISONS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?"
_NAME = r"[a-z]\w*(?:\.\w+)*"
_TERM = rf"({_NUMBER}|{_NAME})"
_SUM = re.compile(rf"\s*[+-]?\s*{_TERM}(?:\s*[+-]\s*{_TERM})*\s*", re.ASCII)
_SIGNED_TERM = re.compile(rf"([+-]?)\s*{_TERM}", re.ASCII)


@dataclass(frozen=True)
class Requirement:
    """A requirement on the numbers of a comparison.

    Args:
        text: the requirement as written.
        left: signs and terms of the left side.
        holds: compares the left side with the right side.
        right: signs and terms of the right side.
    """

    text: str
    left: tuple[tuple[str, str], ...]
    holds: Callable[[Decimal, Decimal], bool]
    right: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers, each once."""
        terms = (term for _, term in self.left + self.right)
        return tuple(dict.fromkeys(term for term in terms if re.fullmatch(_NAME, term)))

    def failure(self, result: "Comparison") -> str | None:
        """Why a comparison does not meet the requirement, as the values of its numbers; None if it does.

        Numbers are those of the JSON, rounded to 6 digits. A number that is null never meets a requirement.
        """
        values = {name: _value(result, name) for name in self.names}
        numbers = {name: value for name, value in values.items() if value is not None}
        if numbers == values and self.holds(_total(self.left, numbers), _total(self.right, numbers)):
            return None
        return ", ".join(f"{name} is {'null' if value is None else f'{value:f}'}" for name, value in values.items())


def parse_requirement(text: str) -> Requirement:
    """Parse a requirement, and check its names.

    Raises:
        UsageError: the text is no requirement, or a name in it is not that of a number.

    Example:
        >>> parse_requirement("accuracy_b >= accuracy_a - 0.01").names
        ('accuracy_b', 'accuracy_a')
    """
    parts = re.split("([<>=!]=|[<>])", text)
    if len(parts) != 3 or not (_SUM.fullmatch(parts[0]) and _SUM.fullmatch(parts[2])):
        raise _malformed(text)
    left, right = (tuple(_SIGNED_TERM.findall(side)) for side in parts[::2])
    requirement = Requirement(text, left, _COMPARISONS[parts[1]], right)
    if not requirement.names:
        raise _malformed(text)
    for name in requirement.names:
        if name not in _paths():
            names = (known for known in _paths() if not known.startswith(_BARE))
            near = did_you_mean(name, names) or "; cli/README.md lists the numbers."
            raise UsageError(f"--require knows no number {name[:200]}{near}")
    return requirement


def check_requirements(requirements: Sequence[Requirement], result: "Comparison") -> None:
    """Print the requirements that a comparison does not meet on stderr.

    Raises:
        typer.Exit: with code 3, if there is one.
    """
    failures = [f"{each.text} ({failure})" for each in requirements if (failure := each.failure(result))]
    for failure in failures:
        say(f"Requirement not met: {failure}", Level.quiet)
    if failures:
        raise typer.Exit(EXIT_CODE)


def _malformed(text: str) -> UsageError:
    return UsageError(
        f"--require takes names and numbers with + and -, compared by one of {' '.join(_COMPARISONS)}, such as "
        f"'agreement>=0.98', got {text[:200]!r}."
    )


@cache
def _paths() -> dict[str, str]:
    """Paths of all numbers in the JSON of a comparison, by their names in requirements."""
    from compare.result.comparison import Comparison

    paths = list(_numbers(Comparison))
    return {path: path for path in paths} | {path.removeprefix(_BARE): path for path in paths}


def _numbers(kind: object) -> Iterator[str]:
    """Paths of all numbers in a result type. Lists hold no numbers with a path of their own."""
    for name, annotation in get_type_hints(kind).items():
        for each in get_args(annotation) if isinstance(annotation, UnionType) else (annotation,):
            if each in (int, float):
                yield name
            elif is_dataclass(each) or each is Estimate:
                yield from (f"{name}.{path}" for path in _numbers(each))


def _value(result: "Comparison", name: str) -> Decimal | None:
    """A number of a comparison; None if it, or what it belongs to, is null."""
    value: Any = result
    for part in _paths()[name].split("."):
        value = None if value is None else getattr(value, part)
    return None if value is None else Decimal(str(round(value, 6)))


def _total(terms: Sequence[tuple[str, str]], numbers: Mapping[str, Decimal]) -> Decimal:
    """The sum of one side. Decimal, since 0.3 - 0.1 is not 0.2 in binary."""
    return sum(
        (Decimal(f"{sign}1") * (numbers[term] if term in numbers else Decimal(term)) for sign, term in terms), Decimal()
    )
