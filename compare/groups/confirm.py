"""Confirmation of the largest differences between two architectures with other seeds."""

import numpy as np
import numpy.typing as npt

from compare.result.groups import Confirmation, Selected
from compare.stats.welch import moments, welch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MOST, SHARE = 20, 0.1


def selecting(seeds: int) -> int:
    """Number of seeds of a group that select: half of them, rounded down."""
    return seeds // 2


def confirmation(accuracy_a: Floats, accuracy_b: Floats, items: Ints, labels: Ints, sizes: Ints) -> Confirmation:
    """Select the items with the largest differences in the first seeds, and measure them with the other seeds.

    The largest of many differences is large partly by chance, and shrinks when it is measured again. Measuring it with
    seeds that took no part in the selection removes this bias. A tenth of the items is selected, at least one and at
    most 20.

    Args:
        accuracy_a: accuracy of each seed of a on each item, shape (seeds_a, items), at least two seeds.
        accuracy_b: accuracy of each seed of b on each item, shape (seeds_b, items), at least two seeds.
        items: numbers of the items, shape (items,).
        labels: class number of each item, shape (items,).
        sizes: number of examples of each item, shape (items,).
    """
    (select_a, other_a), (select_b, other_b) = (
        np.split(accuracy, [selecting(len(accuracy))]) for accuracy in (accuracy_a, accuracy_b)
    )
    by = select_a.mean(0) - select_b.mean(0)
    largest = np.argsort(-abs(by), kind="stable")[: min(MOST, max(1, round(SHARE * len(items))))]
    sign = np.sign(by[largest])
    # Smallest change of the mean over the selected items: one example of one item.
    step = 1 / (sizes[largest].max() * len(largest))
    signed_a, signed_b = (other[:, largest] @ sign / len(largest) for other in (other_a, other_b))
    low, high, p_value = _tested(signed_a, signed_b, step)
    selected, confirmed = float(abs(by[largest]).mean()), float(signed_a.mean() - signed_b.mean())
    return Confirmation(
        selected=tuple(
            _selected(items[i], labels[i], by[i], other_a[:, i].mean(), other_b[:, i].mean()) for i in largest
        ),
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
