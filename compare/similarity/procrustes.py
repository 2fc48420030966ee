"""Procrustes similarity of all pairs of layers, from their Gram matrices."""

import torch
from torch import Tensor

from compare.similarity.gram import validity, variances


def procrustes(grams: Tensor) -> Tensor:
    """Procrustes similarity: how well a rotation maps one representation to another.

    It is the nuclear norm of X'Y, divided by the Frobenius norms of X and Y, both centred. It is in [0, 1], and 1 for
    representations that are equal up to rotation and scale. If a minibatch has fewer examples than the layers have
    dimensions, it is biased upwards, and unrelated layers are far above 0. It costs one SVD per pair of layers.

    Args:
        grams: centred Gram matrices, shape (L, n, n).

    Returns:
        Shape (L, L), float64, symmetric. Rows and columns are 0 for constant layers, NaN for layers that are not
        finite.

    Source:
        Ding et al. 2021, arXiv:2108.01661, section 2; Williams et al. 2021, arXiv:2110.14739. With X = SV', X'Y and
        S'T have the same singular values, and S comes from the Gram matrix.
    """
    trace = variances(grams)
    values, vectors = torch.linalg.eigh((grams / trace[:, None, None]).nan_to_num(0.0, 0.0, 0.0))
    # Rounding makes zero eigenvalues slightly negative.
    roots = vectors * values.relu().sqrt()[:, None]
    result = trace.new_zeros(len(grams), len(grams))
    for i, root in enumerate(roots):
        result[i, i:] = torch.linalg.svdvals(root.mT @ roots[i:]).sum(1)
    valid = validity(grams)
    return ((result + result.triu(1).T) * valid * valid[:, None]).cpu().double()
