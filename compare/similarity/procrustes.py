"""Procrustes similarity of all pairs of layers, from their Gram matrices."""

import torch
from torch import Tensor

from compare.similarity.gram import known, variances


def procrustes(grams: Tensor) -> Tensor:
    """How well a rotation turns one layer's representation into the other's.

    The nuclear norm of X'Y over the Frobenius norms of X and Y, both centred: from 0 to 1, and 1 for representations
    that are equal up to rotation and scale. It is biased upwards where a minibatch has fewer examples than the layers
    have dimensions, so unrelated layers come out far above 0. Costs one singular value decomposition per pair.

    Args:
        grams: shape (L, n, n), centred.

    Returns:
        Shape (L, L), float64, symmetric; rows and columns 0 for a constant layer, NaN for one that is not finite.

    Source:
        Ding et al. 2021, arXiv:2108.01661, section 2; Williams et al. 2021, arXiv:2110.14739. With X = SV', X'Y and
        S'T have the same singular values, and S comes from the Gram matrix.
    """
    trace = variances(grams)
    values, vectors = torch.linalg.eigh((grams / trace[:, None, None]).nan_to_num(0.0, 0.0, 0.0))
    # Rounding leaves eigenvalues that are zero a hair below.
    roots = vectors * values.relu().sqrt()[:, None]
    result = trace.new_zeros(len(grams), len(grams))
    for i, root in enumerate(roots):
        result[i, i:] = torch.linalg.svdvals(root.mT @ roots[i:]).sum(1)
    exists = known(grams)
    return ((result + result.triu(1).T) * exists * exists[:, None]).cpu().double()
