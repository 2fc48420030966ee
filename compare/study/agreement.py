"""CKA of the layers of different networks, inside and outside of block structure."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from compare.result.base import Matrix
from compare.result.study import Contrast
from compare.structure.layer_names import stage_of
from compare.study.component import mean

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
# Number of seeds that are compared with each other. Their networks are compared at once, so memory grows with its
# square.
COMPARED_SEEDS = 6


class Layers(NamedTuple):
    """The layers of one network.

    Attributes:
        names: names of the layers, length L.
        in_block: whether each layer is in block structure, shape (L,).
    """

    names: Sequence[str]
    in_block: Bools


def agreement(cka: Matrix, a: Layers, b: Layers, match: Literal["same layer", "stage"]) -> Contrast:
    """Mean CKA of matching layers of two networks.

    Args:
        cka: CKA of the layers of a (rows) and b (columns).
        a: layers of the first network.
        b: layers of the second network.
        match: `same layer` for networks of one architecture. `stage` for others: each layer of both networks is matched
            with the most similar layer of the same stage of the other one.

    Returns:
        Inside: mean over matches with a layer in block structure. Outside: mean over the other matches.
    """
    cells = np.array(cka, dtype=np.float64)
    if match == "same layer":
        values, either = cells.diagonal(), a.in_block | b.in_block
    else:
        sides = _best_in_stage(cells, a, b), _best_in_stage(cells.T, b, a)
        values, either = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    return Contrast(mean(values[either]), mean(values[~either]))


def mean_contrast(contrasts: Sequence[Contrast]) -> Contrast:
    """Mean over pairs of networks.

    Only pairs with both kinds of layers count, because other pairs may differ in other ways. If there are no such
    pairs, inside is None, and outside is the mean over all pairs.
    """
    both = [(each.inside, each.outside) for each in contrasts if each.inside is not None and each.outside is not None]
    if both:
        inside, outside = np.mean(both, 0).tolist()
        return Contrast(inside, outside)
    return Contrast(None, mean(np.array([each.outside for each in contrasts], dtype=np.float64)))


def _best_in_stage(cells: Floats, a: Layers, b: Layers) -> tuple[Floats, Bools]:
    """CKA of each layer of a with the most similar layer of its stage in b, and whether either is in block structure.

    Layers without a CKA, or without a layer of their stage in b, are left out.
    """
    stages_a, stages_b = (np.array([stage_of(name) for name in side.names]) for side in (a, b))
    values = np.where((stages_a[:, None] == stages_b) & ~np.isnan(cells), cells, -np.inf)
    columns = values.argmax(1)
    best, either = values.max(1), a.in_block | b.in_block[columns]
    return best[best > -np.inf], either[best > -np.inf]
