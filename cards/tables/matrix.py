"""Tables of what the pairs of several models share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cards.tables.table import Cell, Link, Table
from cards.words.legible import interval, number, percent
from compare.result.matrix import ModelMatrix, PairResult

# Numbers of two models, from 0, the lower one first.
Pair = tuple[int, int]


@dataclass(frozen=True)
class PairMeasure:
    """One number that is measured for every pair of models.

    Args:
        name: name of the measure.
        meaning: explanation in a sentence or two.
        form: format of its values, such as `.3f`.
        value: its value for a pair.
        error: its uncertainty for a pair, or None if it is never known.
    """

    name: str
    meaning: str
    form: str
    value: Callable[[PairResult], float | None]
    error: Callable[[PairResult], float | None] | None = None


def _half_interval(pair: PairResult) -> float | None:
    if pair.agreement_low is None or pair.agreement_high is None:
        return None
    return (pair.agreement_high - pair.agreement_low) / 2


PAIR_MEASURES = (
    PairMeasure(
        "CKA at the same relative depth",
        "Mean over the layers of the longer model, with its standard error.",
        ".3f",
        lambda pair: pair.same_depth_cka,
        lambda pair: pair.same_depth_standard_error,
    ),
    PairMeasure(
        "CKA with the most similar layer",
        "Mean CKA of each layer with the most similar layer of the other model, over all layers of both. It is "
        "slightly too high, because it is a mean of maxima. Its standard error is unknown.",
        ".3f",
        lambda pair: pair.best_match_cka,
    ),
    PairMeasure(
        "Images predicted alike",
        "Share of the images for which both models predict the same class, with half of its 95 % interval.",
        ".1%",
        lambda pair: pair.agreement,
        _half_interval,
    ),
)


def pair_matrix_table(result: ModelMatrix, measure: PairMeasure, columns: Sequence[int] | None = None) -> Table:
    """One measure of every pair: a row and a column per model.

    Args:
        result: the pairs of several models.
        measure: the number to show.
        columns: numbers of the models to show as columns, from 0; all models if None.
    """
    numbers = range(len(result.models))
    columns = numbers if columns is None else columns
    rows = tuple((str(a + 1), *(_pair_cell(result, measure, a, b) for b in columns)) for a in numbers)
    return Table(measure.name, ("", *(str(b + 1) for b in columns)), rows, 1, _largest_error(result, measure))


def _pair_cell(result: ModelMatrix, measure: PairMeasure, a: int, b: int) -> str:
    return "" if a == b else number(measure.value(result.pair(a, b)), measure.form)


def _largest_error(result: ModelMatrix, measure: PairMeasure) -> str:
    if measure.error is None:
        return ""
    errors = [error for pair in result.pairs if (error := measure.error(pair)) is not None]
    if measure.form.endswith("%"):
        return f"95 % intervals are at most {200 * max(errors):.1f} points wide." if errors else ""
    if not errors:
        return "Standard errors are unknown."
    return f"Standard errors are at most {max(errors):.3f}. They cover other images, not other trainings."


def pairs_table(result: ModelMatrix, addresses: Mapping[Pair, str] | None = None) -> Table:
    """Every pair in a row, the most similar pair first.

    Args:
        result: the pairs of several models.
        addresses: URL of the page of each pair, if there are such pages.
    """
    names = [f"{number} ({model.name})" for number, model in enumerate(result.models, 1)]
    rows = tuple(
        (names[pair.a], names[pair.b], *_link(pair, addresses), *_pair_numbers(pair))
        for pair in sorted(result.pairs, key=_most_similar_first)
    )
    links = ("page",) if addresses else ()
    headings = ("a", "b", *links, "CKA", "standard error", "best match", "alike %", "95 % interval")
    caption = (
        "CKA: mean at the same relative depth; best match: mean with the most similar layer of the other model, "
        "slightly too high, because it is a mean of maxima; alike: images for which both predict the same class."
    )
    return Table("All pairs, most similar first", headings, rows, 2 + len(links), caption, sortable=True)


def _link(pair: PairResult, addresses: Mapping[Pair, str] | None) -> tuple[Cell, ...]:
    return (Link("compare", addresses[pair.a, pair.b]),) if addresses else ()


def _pair_numbers(pair: PairResult) -> tuple[str, ...]:
    return (
        number(pair.same_depth_cka, ".3f"),
        number(pair.same_depth_standard_error, ".3f"),
        number(pair.best_match_cka, ".3f"),
        percent(pair.agreement),
        interval(pair.agreement_low, pair.agreement_high, ".1f"),
    )


def _most_similar_first(pair: PairResult) -> float:
    return 2.0 if pair.same_depth_cka is None else -pair.same_depth_cka
