"""The largest differences between two architectures, selected with some seeds and looked at again with the others."""

import numpy as np
import numpy.typing as npt

from compare.result.groups import Confirmation, Selected
from compare.stats.welch import moments, welch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MOST, SHARE = 20, 0.1


def selecting(seeds: int) -> int:
    """How many of a group's seeds select: the first half, of an odd number the smaller."""
    return seeds // 2


def confirmation(accuracy_a: Floats, accuracy_b: Floats, items: Ints, labels: Ints, sizes: Ints) -> Confirmation:
    """Select where the first seeds of both groups differ most, and measure the difference with the other seeds.

    What is largest among many is so partly by luck, and shrinks when it is measured again. With seeds that had no part
    in the selection there is no such bias. A tenth of the items is selected, at least one, at most 20.

    Args:
        accuracy_a: of the items for each seed of a, shape (seeds_a, items), at least two seeds.
        accuracy_b: the same of b, shape (seeds_b, items).
        items: their numbers, shape (items,).
        labels: number of the class of each, shape (items,).
        sizes: in how many examples each is measured, shape (items,).
    """
    (select_a, other_a), (select_b, other_b) = (
        np.split(accuracy, [selecting(len(accuracy))]) for accuracy in (accuracy_a, accuracy_b)
    )
    by = select_a.mean(0) - select_b.mean(0)
    kept = np.argsort(-abs(by), kind="stable")[: min(MOST, max(1, round(SHARE * len(items))))]
    sign = np.sign(by[kept])
    # One example of one item, in the mean over all selected items.
    step = 1 / (sizes[kept].max() * len(kept))
    signed_a, signed_b = (other[:, kept] @ sign / len(kept) for other in (other_a, other_b))
    low, high, p_value = _tested(signed_a, signed_b, step)
    selected, confirmed = float(abs(by[kept]).mean()), float(signed_a.mean() - signed_b.mean())
    return Confirmation(
        selected=tuple(_selected(items[i], labels[i], by[i], other_a[:, i].mean(), other_b[:, i].mean()) for i in kept),
        selecting=selected,
        confirming=confirmed,
        ci_low=low,
        ci_high=high,
        p_value=p_value,
        retained=confirmed / selected if selected else None,
    )


def _tested(a: Floats, b: Floats, step: float) -> tuple[float, float, float] | tuple[None, None, None]:
    if min(len(a), len(b)) < 2:
        return None, None, None
    tested = welch(moments(a), moments(b), step)
    return float(tested.low), float(tested.high), float(tested.p_value)


def _selected(item: int, label: int, by: float, accuracy_a: float, accuracy_b: float) -> Selected:
    return Selected(
        int(item), int(label), float(by), float(accuracy_a), float(accuracy_b), float(accuracy_a - accuracy_b)
    )
