"""Relatives of CKA, each from the same centred Gram matrices of a minibatch.

Each function describes every layer by one vector, such that the similarity of two layers is the cosine of their
vectors; sums over minibatches make it a mean weighted by their examples. A layer that is constant has the zero vector,
one that is not finite NaN.
"""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor

from compare.similarity.gram import known, u_centre_

NEIGHBOURS = 10


def neighbours(grams: Tensor) -> Tensor:
    """Who is among whose nearest neighbours; the cosine is the mutual k-nearest-neighbour overlap.

    Neighbours are the 10 nearest other examples of the minibatch in Euclidean distance (all but one of them in a
    minibatch of less than 12). The overlap is the mean share of them that two layers have in common: from 0 to 1, and
    10 / (n - 1) between unrelated layers. Examples at the same distance, as where a layer is dead, share the places
    that are left: an order among them would be the same in both layers, and look like something in common.

    Args:
        grams: shape (L, n, n), n >= 4.

    Returns:
        Shape (L, n, n): 1 where the column's example is a neighbour of the row's, a share where it is tied; rows are
        scaled to the length that they have without ties.

    Source:
        Huh et al. 2024, arXiv:2405.07987, appendix A; they normalise each example's features to length 1 first, which
        centred Gram matrices do not allow.
    """
    n = grams.shape[-1]
    own = grams.diagonal(dim1=1, dim2=2)
    distance = own[:, :, None] + own[:, None] - 2 * grams
    distance.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    k = min(NEIGHBOURS, n - 2)
    last = distance.kthvalue(k, 2, keepdim=True).values
    rounding = 8 * torch.finfo(grams.dtype).eps * own.amax(1)[:, None, None]
    nearer, tied = (distance < last - rounding).to(grams), ((distance - last).abs() <= rounding).to(grams)
    found: Tensor = nearer + tied * (k - nearer.sum(2, keepdim=True)) / tied.sum(2, keepdim=True)
    length: Tensor = found.norm(dim=2, keepdim=True)
    return found * (sqrt(k) / length) * known(grams)[:, None, None]


def ranks(grams: Tensor) -> Tensor:
    """Ranks of the pairs of examples by their inner product; the cosine is Spearman's correlation.

    Representational similarity analysis with centred inner products as the similarity of two examples; tied pairs share
    their mean rank. From -1 to 1, and 0 on average between unrelated layers.

    Args:
        grams: shape (L, n, n), n >= 4.

    Returns:
        Shape (L, n, n): symmetric, zero diagonal, centred and of squared norm n per layer.

    Source:
        Kriegeskorte et al. 2008, Frontiers in Systems Neuroscience 2:4.
    """
    # Here, because it takes more memory than the Gram matrices of a hundred layers.
    from scipy.stats import rankdata

    n = grams.shape[-1]
    first, second = torch.triu_indices(n, n, 1)
    pairs = grams[:, first, second].cpu().double().nan_to_num(0.0, 0.0, 0.0)
    # What differs by rounding alone is tied.
    grid = 16 * torch.finfo(grams.dtype).eps * pairs.abs().amax(1, keepdim=True)
    ranked = torch.from_numpy(rankdata((pairs / torch.where(grid > 0, grid, 1.0)).round().numpy(), axis=1))
    ranked -= ranked.mean(1, keepdim=True)
    norm = ranked.norm(dim=1, keepdim=True)
    ranked *= torch.where(norm > 0, (n / 2) ** 0.5 / norm, 0.0)
    made = torch.zeros_like(grams)
    made[:, first, second] = ranked.to(made)
    return (made + made.mT) * known(grams)[:, None, None]


# What can be had from one Gram matrix at a time; Procrustes similarity needs two.
VECTORS: dict[str, Callable[[Tensor], Tensor]] = {"cka": u_centre_, "knn": neighbours, "rsa": ranks}
MEASURES = ("knn", "rsa", "procrustes")
