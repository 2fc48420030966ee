"""Pairs of classes that two models confuse, or predict in place of each other. Needs no torch."""

import numpy as np

from compare.result.disagreement import Confusion, Replacement
from compare.stats.paired import Ints, holm, mcnemar

# Maximum number of confusions, and of replacements, in a result.
MOST_CONFUSIONS = MOST_REPLACEMENTS = 20


def find_confusions(a: Ints, b: Ints, truth: Ints, classes: int) -> tuple[Confusion, ...]:
    """Find the confusions that two models make with the most different frequency.

    Args:
        a: classes predicted by a, shape (n,).
        b: classes predicted by b, shape (n,).
        truth: true classes, shape (n,).
        classes: number of classes.

    Returns:
        At most 20 confusions, smallest p-value first; ties are ordered by the difference in counts.
    """
    pairs_a, pairs_b = truth * classes + a, truth * classes + b
    differ = a != b
    keys = np.unique(np.concatenate([pairs_a[differ & (a != truth)], pairs_b[differ & (b != truth)]]))
    counts_differing = [_count(pairs[differ], keys) for pairs in (pairs_a, pairs_b)]
    counts = [_count(pairs, keys) for pairs in (pairs_a, pairs_b)]
    p_values = mcnemar(*counts_differing)
    adjusted = holm(p_values)
    order = np.lexsort((-abs(counts[0] - counts[1]), p_values))[:MOST_CONFUSIONS]
    return tuple(
        Confusion(
            label=int(keys[i]) // classes,
            prediction=int(keys[i]) % classes,
            count_a=int(counts[0][i]),
            count_b=int(counts[1][i]),
            p_value=float(p_values[i]),
            p_adjusted=float(adjusted[i]),
        )
        for i in order
    )


def find_replacements(a: Ints, b: Ints) -> tuple[Replacement, ...]:
    """Find the most frequent pairs of different predictions; this needs no labels.

    Args:
        a: classes predicted by a, shape (n,).
        b: classes predicted by b, shape (n,).

    Returns:
        At most 20 pairs, the most frequent first.
    """
    pairs, counts = np.unique(np.stack([a, b], 1)[a != b], axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_REPLACEMENTS]
    return tuple(Replacement(int(pairs[i, 0]), int(pairs[i, 1]), int(counts[i])) for i in order)


def _count(values: Ints, keys: Ints) -> Ints:
    """Count how often each of the sorted keys occurs among the values."""
    places = np.searchsorted(keys, values)
    places[places == len(keys)] = 0
    matches = places[keys[places] == values] if len(keys) else places[:0]
    return np.bincount(matches, minlength=len(keys))
