"""The tables of similarities beside those of untrained copies."""

from collections.abc import Mapping

from cards.tables.table import Table
from cards.words.legible import AB, Names, number
from compare.result.comparison import Baseline, BaselineSide
from compare.result.matrix import ModelMatrix

HEADINGS = ("layers", "trained", "untrained", "difference", "95 % interval")


def baseline_table(baseline: Baseline | None, names: Names = AB) -> Table | None:
    """Similarity of each model to the other and to an untrained copy of it, or None if there is no baseline.

    Args:
        baseline: the baseline of a comparison.
        names: what the models are called.
    """
    if baseline is None:
        return None
    rows = _rows({f"{names.a} in {names.b}": baseline.a, f"{names.b} in {names.a}": baseline.b})
    return Table("Similarity beside an untrained copy", HEADINGS, rows, 1, _caption(baseline))


def pairs_baseline_table(result: ModelMatrix) -> Table | None:
    """Similarity of each model to each other one and to an untrained copy of it, or None if there is no baseline.

    Args:
        result: the pairs of several models.
    """
    baselines = {(pair.a + 1, pair.b + 1): pair.baseline for pair in result.pairs if pair.baseline is not None}
    if not baselines:
        return None
    sides = {f"{a} in {b}": baseline.a for (a, b), baseline in baselines.items()}
    sides |= {f"{b} in {a}": baseline.b for (a, b), baseline in baselines.items()}
    caption = f"{_caption(next(iter(baselines.values())))} It holds for one row at a time."
    return Table("Similarity beside untrained copies", HEADINGS, _rows(sides), 1, caption, sortable=True)


def _rows(sides: Mapping[str, BaselineSide | None]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            layers,
            f"{side.best_match:.2f}",
            f"{side.untrained:.2f}",
            f"{side.above:+z.2f}",
            "-" if side.low is None else f"{side.low:+z.2f} to {number(side.high, '+z.2f')}",
        )
        for layers, side in sides.items()
        if side is not None
    )


def _caption(baseline: Baseline) -> str:
    varied = "other images and initial weights, not other trainings"
    if len(baseline.seeds) == 1:
        varied = "other images, not other initial weights or trainings"
    return (
        "trained: mean over layers of the largest CKA with a layer of the other model; untrained: the same with a copy "
        "of the other model that has fresh initial weights (mean over copies); the 95 % interval is over "
        f"{varied}."
    )
