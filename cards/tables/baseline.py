"""The table of similarities beside those of untrained copies."""

from cards.tables.table import Table
from cards.words.legible import number
from compare.result.comparison import Baseline

CAPTION = (
    "trained: mean over layers of the largest CKA with a layer of the other model; untrained: the same with a copy of "
    "the other model that has fresh initial weights (mean over copies); the 95 % interval is over other images and "
    "initial weights, not other trainings."
)


def baseline_table(baseline: Baseline | None) -> Table | None:
    """Similarity of each model to the other and to an untrained copy of it, or None if there is no baseline.

    Args:
        baseline: the baseline of a comparison.
    """
    if baseline is None:
        return None
    rows = tuple(
        (
            layers,
            f"{side.best_match:.2f}",
            f"{side.untrained:.2f}",
            f"{side.above:+.2f}",
            "-" if side.low is None else f"{side.low:+.2f} to {number(side.high, '+.2f')}",
        )
        for layers, side in (("a in b", baseline.a), ("b in a", baseline.b))
        if side is not None
    )
    headings = ("layers", "trained", "untrained", "difference", "95 % interval")
    return Table("Similarity beside an untrained copy", headings, rows, 1, CAPTION)
