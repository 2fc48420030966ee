"""Similarity measures besides CKA, computed from the same centred Gram matrices.

Each function maps every layer to one vector, such that the similarity of two layers is the cosine of their vectors.
Sums over minibatches then give a mean weighted by their numbers of examples. Constant layers have the zero vector, and
layers that are not finite have NaN.
"""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor

from compare.similarity.gram import u_centre_, validity

NEIGHBOURS = 10


def cosine(grams: Tensor) -> Tensor:
    """U-centred Gram matrices of centred features scaled to length 1; the cosine is CKA of normalised activations.

    All examples have the same weight, so a few examples with large norms cannot dominate it as they dominate linear
    CKA. An example at the mean of its minibatch has no direction, and similarity 0 to all others.

    Args:
        grams: centred Gram matrices, shape (L, n, n), n >= 4.

    Returns:
        Shape (L, n, n): symmetric, zero diagonal, rows summing to 0.

    Source:
        Nguyen, Raghu & Kornblith 2022, arXiv:2202.07184, appendix J (normalised activations).
    """
    squares = grams.diagonal(dim1=1, dim2=2)
    # Rounding leaves a length of up to this to examples at the mean.
    smallest = 8 * torch.finfo(grams.dtype).eps * squares.amax(1, keepdim=True)
    inverse = torch.where(squares > smallest, squares.rsqrt(), 0.0)
    scaled = grams * inverse[:, :, None]
    scaled *= inverse[:, None] * validity(grams)[:, None, None]
    return u_centre_(scaled)


def neighbours(grams: Tensor) -> Tensor:
    """Nearest neighbours of every example; the cosine is the mutual k-nearest-neighbour overlap.

    Neighbours are the 10 nearest other examples of the minibatch in Euclidean distance, or all but one of them in
    minibatches of fewer than 12 examples. The overlap is the mean fraction of neighbours that two layers share, in
    [0, 1], and 10 / (n - 1) for unrelated layers. Examples at the same distance, for example in dead layers, share the
    remaining places equally: any order among them would be the same in both layers and look like similarity.

    Args:
        grams: centred Gram matrices, shape (L, n, n), n >= 4.

    Returns:
        Shape (L, n, n): 1 if the column's example is a neighbour of the row's example, a fraction if it is tied. Rows
        are scaled to the length that they have without ties.

    Source:
        Huh et al. 2024, arXiv:2405.07987, appendix A. They first normalise each example's features to length 1, which
        is impossible with centred Gram matrices.
    """
    n = grams.shape[-1]
    squares = grams.diagonal(dim1=1, dim2=2)
    distance = squares[:, :, None] + squares[:, None] - 2 * grams
    distance.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    k = min(NEIGHBOURS, n - 2)
    last = distance.kthvalue(k, 2, keepdim=True).values
    rounding = 8 * torch.finfo(grams.dtype).eps * squares.amax(1)[:, None, None]
    nearer, tied = (distance < last - rounding).to(grams), ((distance - last).abs() <= rounding).to(grams)
    weights: Tensor = nearer + tied * (k - nearer.sum(2, keepdim=True)) / tied.sum(2, keepdim=True)
    length: Tensor = weights.norm(dim=2, keepdim=True)
    return weights * (sqrt(k) / length) * validity(grams)[:, None, None]


def ranks(grams: Tensor) -> Tensor:
    """Ranks of all pairs of examples by their inner product; the cosine is Spearman's correlation.

    This is representational similarity analysis with centred inner products as the similarity of two examples. Tied
    pairs share their mean rank. The correlation is in [-1, 1], and 0 on average for unrelated layers.

    Args:
        grams: centred Gram matrices, shape (L, n, n), n >= 4.

    Returns:
        Shape (L, n, n): symmetric, zero diagonal, centred, with squared norm n per layer.

    Source:
        Kriegeskorte et al. 2008, Frontiers in Systems Neuroscience 2:4.
    """
    # Imported when called: it takes more memory than the Gram matrices of a hundred layers.
    from scipy.stats import rankdata

    n = grams.shape[-1]
    first, second = torch.triu_indices(n, n, 1)
    pairs = grams[:, first, second].cpu().double().nan_to_num(0.0, 0.0, 0.0)
    # Values that differ only by rounding are tied.
    grid = 16 * torch.finfo(grams.dtype).eps * pairs.abs().amax(1, keepdim=True)
    ranked = torch.from_numpy(rankdata((pairs / torch.where(grid > 0, grid, 1.0)).round().numpy(), axis=1))
    ranked -= ranked.mean(1, keepdim=True)
    norm = ranked.norm(dim=1, keepdim=True)
    ranked *= torch.where(norm > 0, (n / 2) ** 0.5 / norm, 0.0)
    upper = torch.zeros_like(grams)
    upper[:, first, second] = ranked.to(upper)
    return (upper + upper.mT) * validity(grams)[:, None, None]


# Measures that map one Gram matrix to a vector. Procrustes similarity needs two at a time.
VECTORS: dict[str, Callable[[Tensor], Tensor]] = {"cka": u_centre_, "cosine": cosine, "knn": neighbours, "rsa": ranks}
# Measures whose vectors are U-centred kernel matrices, with one row per example.
KERNELS = ("cka", "cosine")
MEASURES = ("cosine", "knn", "rsa", "procrustes")
# Measures that every comparison of two models includes.
DEFAULT_MEASURES = ("cosine",)
