"""CKA of different networks at the same relative depth, inside and outside of block structure."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from compare.result.matrix import ModelMatrix, PairResult
from compare.result.study import Contrast

Bools = npt.NDArray[np.bool_]


def agreement(matrix: ModelMatrix, inside: Sequence[Bools], pairs: Iterable[PairResult] | None = None) -> Contrast:
    """Mean CKA of layers at the same relative depth, averaged over pairs of networks.

    Args:
        matrix: CKA of all pairs of networks.
        inside: for each network, whether each layer is in block structure, shape (L,).
        pairs: pairs of networks to use; all if None.

    Returns:
        Inside: mean over layers where either network has block structure. Outside: mean over layers where neither has.
        Only pairs with both kinds of layers count, because other pairs may differ in other ways. If there are no such
        pairs, inside is None, and outside is the mean over all pairs.
    """
    cells = [_same_depth(pair, inside[pair.a], inside[pair.b]) for pair in (matrix.pairs if pairs is None else pairs)]
    sides = [(_mean(values[either]), _mean(values[~either])) for values, either in cells]
    both = [pair for pair in sides if None not in pair]
    if not both:
        return Contrast(None, _mean(np.array([outside for _, outside in sides], dtype=np.float64)))
    within, without = np.array(both, dtype=np.float64).mean(0).tolist()
    return Contrast(within, without)


def _same_depth(pair: PairResult, a: Bools, b: Bools) -> tuple[npt.NDArray[np.float64], Bools]:
    """CKA for each layer of the deeper network, and whether either of its two layers is in block structure."""
    steps = np.linspace(0, 1, max(len(a), len(b)))
    rows, columns = ((steps * (len(side) - 1)).round().astype(int) for side in (a, b))
    return np.array(pair.cka, dtype=np.float64)[rows, columns], a[rows] | b[columns]


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    valid = values[~np.isnan(values)]
    return float(valid.mean()) if valid.size else None
