"""Which class is taken for which, more often by one of two models. Needs no torch."""

import numpy as np

from compare.result.disagreement import Confusion
from compare.stats.paired import Ints, holm, mcnemar

# So many are told.
MOST_CONFUSIONS = 20


def find_confusions(a: Ints, b: Ints, truth: Ints, classes: int) -> tuple[Confusion, ...]:
    """The pairs of true and predicted class in which two models differ most.

    Args:
        a: classes that a predicts, shape (n,), like the others.
        b: classes that b predicts.
        truth: true classes.
        classes: how many there are.

    Returns:
        At most 20, the least likely by chance first, then those with the largest difference.
    """
    pairs_a, pairs_b = truth * classes + a, truth * classes + b
    differ = a != b
    keys = np.unique(np.concatenate([pairs_a[differ & (a != truth)], pairs_b[differ & (b != truth)]]))
    only = [_count(pairs[differ], keys) for pairs in (pairs_a, pairs_b)]
    every = [_count(pairs, keys) for pairs in (pairs_a, pairs_b)]
    p_values = mcnemar(*only)
    adjusted = holm(p_values)
    order = np.lexsort((-abs(every[0] - every[1]), p_values))[:MOST_CONFUSIONS]
    return tuple(
        Confusion(
            label=int(keys[i]) // classes,
            prediction=int(keys[i]) % classes,
            count_a=int(every[0][i]),
            count_b=int(every[1][i]),
            p_value=float(p_values[i]),
            p_adjusted=float(adjusted[i]),
        )
        for i in order
    )


def _count(values: Ints, keys: Ints) -> Ints:
    """How often each of the sorted keys stands among the values."""
    places = np.searchsorted(keys, values)
    places[places == len(keys)] = 0
    found = places[keys[places] == values] if len(keys) else places[:0]
    return np.bincount(found, minlength=len(keys))
