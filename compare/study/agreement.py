"""How alike the layers of different networks are at the same relative depth, in block structure and outside of it."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from compare.result.matrix import ModelMatrix, PairResult
from compare.result.study import Contrast

Bools = npt.NDArray[np.bool_]


def agreement(found: ModelMatrix, inside: Sequence[Bools], pairs: Iterable[PairResult] | None = None) -> Contrast:
    """Mean CKA of layers at the same relative depth in each pair of networks, and of these the mean over pairs.

    Args:
        found: CKA of all pairs of the networks.
        inside: which layers of each network lie in block structure.
        pairs: those to take; all if not given.

    Returns:
        Of layers of which either lies in block structure, and of layers of which neither does, over pairs that have
        both: those of other pairs differ in more than that. Without such pairs, outside of all.
    """
    taken = found.pairs if pairs is None else pairs
    cells = [_same_depth(pair, inside[pair.a], inside[pair.b]) for pair in taken]
    sides = [(_mean(values[either]), _mean(values[~either])) for values, either in cells]
    both = [pair for pair in sides if None not in pair]
    if not both:
        return Contrast(None, _mean(np.array([outside for _, outside in sides], dtype=np.float64)))
    within, without = np.array(both, dtype=np.float64).mean(0).tolist()
    return Contrast(within, without)


def _same_depth(pair: PairResult, a: Bools, b: Bools) -> tuple[npt.NDArray[np.float64], Bools]:
    """One cell per layer of the longer network, and whether either of its layers is in block structure."""
    steps = np.linspace(0, 1, max(len(a), len(b)))
    rows, columns = ((steps * (len(side) - 1)).round().astype(int) for side in (a, b))
    return np.array(pair.cka, dtype=np.float64)[rows, columns], a[rows] | b[columns]


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
