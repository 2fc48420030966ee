"""Tables of what the pairs of several models share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cards.tables.table import Cell, Link, Table
from cards.words.legible import interval, number, percent
from cards.words.matrix_verdict import learned
from compare.result.matrix import ModelMatrix, PairResult

OTHER_IMAGES = "they are about other images, not about other trainings."
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
        ceiling: its value between two seeds of one architecture, or None if it is never known.
        interval: whether the uncertainty is half of a 95 % interval instead of a standard error.
        starred: whether a pair's value gets a star, or None for no stars.
        star: what the star means.
    """

    name: str
    meaning: str
    form: str
    value: Callable[[PairResult], float | None]
    error: Callable[[PairResult], float | None] | None = None
    ceiling: Callable[[PairResult], float | None] | None = None
    interval: bool = False
    starred: Callable[[PairResult], bool] | None = None
    star: str = ""


def _half_interval(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else (high - low) / 2


def _above(pair: PairResult) -> float | None:
    side = pair.weaker_side
    return None if side is None else side.above


def _above_error(pair: PairResult) -> float | None:
    side = pair.weaker_side
    return None if side is None else _half_interval(side.low, side.high)


def _same_depth(pair: PairResult) -> float | None:
    """None for models with different numbers of layers, also in older files, which have a value for them."""
    return pair.same_depth_cka if _equally_deep(pair) else None


def _same_depth_error(pair: PairResult) -> float | None:
    return pair.same_depth_standard_error if _equally_deep(pair) else None


def _equally_deep(pair: PairResult) -> bool:
    return len(pair.cka) == len(pair.cka[0])


ABOVE_UNTRAINED = PairMeasure(
    "CKA above that with an untrained copy",
    "How much larger a model's mean CKA with the most similar layer is in the other model than in an untrained copy of "
    "it, with half of its 95 % interval. Of the two directions, it is the one whose interval begins lower.",
    "+.2f",
    _above,
    _above_error,
    interval=True,
    starred=lambda pair: _above(pair) is not None and not learned(pair),
    star="the interval is not above 0, or there is none",
)
# The first one is shown by default.
PAIR_MEASURES = (
    PairMeasure(
        "CKA with the most similar layer",
        "Mean CKA of each layer with the most similar layer of the other model, over all layers of both. It is "
        "slightly too high, because it is a mean of maxima. Its standard error holds the most similar layers fixed.",
        ".3f",
        lambda pair: pair.best_match_cka,
        lambda pair: pair.best_match_standard_error,
        lambda pair: pair.ceiling,
    ),
    PairMeasure(
        "Cosine similarity with the most similar layer",
        "The same for the measure cosine: CKA after each image's centred features are scaled to length 1, so that all "
        "images weigh the same.",
        ".3f",
        lambda pair: pair.best_match_cosine,
        lambda pair: pair.best_match_cosine_standard_error,
    ),
    ABOVE_UNTRAINED,
    PairMeasure(
        "Two seeds of one architecture",
        "A ceiling for the CKA with the most similar layer: its mean over all other pairs of models that have the same "
        "architecture, that of either model.",
        ".3f",
        lambda pair: pair.ceiling,
    ),
    PairMeasure(
        "CKA with the most similar layer of the same stage",
        "For models whose stages have the same names: the mean over stages of the mean CKA of each layer with the most "
        "similar layer of the same stage of the other model.",
        ".3f",
        lambda pair: pair.stage_match_cka,
    ),
    PairMeasure(
        "CKA at the same depth",
        "For models with equally many layers: the mean CKA of the first layers, the second layers, and so on, with its "
        "standard error.",
        ".3f",
        _same_depth,
        _same_depth_error,
    ),
    PairMeasure(
        "Images predicted alike",
        "Share of the images for which both models predict the same class, with half of its 95 % interval.",
        ".1%",
        lambda pair: pair.agreement,
        lambda pair: _half_interval(pair.agreement_low, pair.agreement_high),
        interval=True,
    ),
)


# The columns of numbers in `pairs_table`, each with a sentence for the caption.
PAIR_COLUMNS = {
    "best match": "Best match: mean CKA of each layer with the most similar layer of the other model, slightly too "
    "high, because it is a mean of maxima.",
    "standard error": f"Standard errors are those of the best match; {OTHER_IMAGES}",
    "cosine": "Cosine: the best match by CKA after each image's centred features are scaled to length 1.",
    "above untrained": "Above untrained: how much larger the best match is than that with an untrained copy of the "
    "other model, in the direction whose 95 % interval begins lower.",
    "two seeds": "Two seeds: best match between two seeds of one architecture, that of a or b.",
    "same stage": "Same stage: best match within the stage, averaged over stages.",
    "same depth": "Same depth: mean CKA of the first layers, the second layers, and so on.",
    "alike %": "Alike: images for which both predict the same class.",
    "95 % interval": "",
}
# Columns that are left out if each pair has a page of its own, and a map shows them.
ON_THE_MAP = ("two seeds", "same stage", "same depth", "95 % interval")
# Columns that are left out if no pair has a value.
OPTIONAL_COLUMNS: dict[str, Callable[[PairResult], float | None]] = {
    "cosine": lambda pair: pair.best_match_cosine,
    "above untrained": _above,
    "two seeds": lambda pair: pair.ceiling,
    "same stage": lambda pair: pair.stage_match_cka,
    "same depth": _same_depth,
}


def pair_measures(result: ModelMatrix) -> tuple[PairMeasure, ...]:
    """The measures that at least one pair has, the default first.

    Args:
        result: the pairs of several models.
    """
    return tuple(measure for measure in PAIR_MEASURES if any(measure.value(pair) is not None for pair in result.pairs))


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
    star = f"*: {measure.star}." if measure.starred and any(map(measure.starred, result.pairs)) else ""
    caption = " ".join(filter(None, (_largest_error(result, measure), star)))
    return Table(measure.name, ("", *(str(b + 1) for b in columns)), rows, 1, caption)


def _pair_cell(result: ModelMatrix, measure: PairMeasure, a: int, b: int) -> str:
    if a == b:
        return ""
    pair = result.pair(a, b)
    star = "*" if measure.starred and measure.starred(pair) else ""
    return number(measure.value(pair), measure.form) + star


def _largest_error(result: ModelMatrix, measure: PairMeasure) -> str:
    if measure.error is None:
        return ""
    errors = [error for pair in result.pairs if (error := measure.error(pair)) is not None]
    if measure.interval:
        width = 2 * max(errors, default=0)
        wide = f"{100 * width:.1f} points" if measure.form.endswith("%") else f"{width:.2f}"
        return f"95 % intervals are at most {wide} wide." if errors else ""
    return (
        f"Standard errors are at most {max(errors):.3f}; {OTHER_IMAGES}" if errors else "Standard errors are unknown."
    )


def pairs_table(
    result: ModelMatrix, addresses: Mapping[Pair, str] | None = None, of_models: Sequence[str] = ()
) -> Table:
    """Every pair in a row, the most similar pair first.

    Args:
        result: the pairs of several models.
        addresses: URL of the page of each pair, if there are such pages.
        of_models: URL of the page of each model, if there are such pages.
    """
    names: list[Cell] = [f"{number} ({model.name})" for number, model in enumerate(result.models, 1)]
    if of_models:
        names = [Link(str(name), address) for name, address in zip(names, of_models, strict=True)]
    rows = tuple(
        (names[pair.a], names[pair.b], *_link(pair, addresses), *_pair_numbers(pair))
        for pair in sorted(result.pairs, key=_most_similar_first)
    )
    links = ("page",) if addresses else ()
    headings = ("a", "b", *links, *PAIR_COLUMNS)
    left_out = [name for name, value in OPTIONAL_COLUMNS.items() if all(value(pair) is None for pair in result.pairs)]
    left_out += ON_THE_MAP if addresses else ()
    caption = " ".join(meaning for name, meaning in PAIR_COLUMNS.items() if meaning and name not in left_out)
    table = Table("All pairs, most similar first", headings, rows, 2 + len(links), caption, sortable=True)
    return table.drop(*left_out)


def _link(pair: PairResult, addresses: Mapping[Pair, str] | None) -> tuple[Cell, ...]:
    return (Link("compare", addresses[pair.a, pair.b]),) if addresses else ()


def _pair_numbers(pair: PairResult) -> tuple[str, ...]:
    return (
        number(pair.best_match_cka, ".3f"),
        number(pair.best_match_standard_error, ".3f"),
        *(number(value(pair), ".3f") for value in OPTIONAL_COLUMNS.values()),
        percent(pair.agreement),
        interval(pair.agreement_low, pair.agreement_high, ".1f"),
    )


def _most_similar_first(pair: PairResult) -> float:
    return 2.0 if pair.best_match_cka is None else -pair.best_match_cka
