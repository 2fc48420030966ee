"""Gram matrices of activations: what every measure of this package is computed from."""

import torch
from torch import Tensor

# Fewer examples than this leave the unbiased estimator undefined.
MIN_EXAMPLES = 4


def gram(features: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Inner products of one layer's activations on one minibatch, centred over the examples.

    Centring the features first is what keeps single precision exact: CKA does not depend on their mean, but the
    rounding of raw inner products does. A spread below the rounding of the mean is no spread: such a constant layer
    gives zeros.

    Args:
        features: activations, floating point, shape (n, ...); the axes after the first are flattened.
        dtype: precision of the products.

    Returns:
        Shape (n, n), symmetric, rows sum to 0, in squared units of the features.
    """
    x = features.detach().flatten(1).to(dtype)
    mean = x.mean(0)
    x = x - mean
    product = x @ x.T
    rounding = 8 * torch.finfo(dtype).eps
    # A product rather than a branch, which would make a GPU wait; NaN stays NaN.
    return product * (product.trace() > rounding**2 * len(x) * mean.dot(mean))


def u_centre(grams: Tensor) -> Tensor:
    """U-centre Gram matrices: inner products of two of them are unbiased estimates of n(n-3) HSIC.

    Args:
        grams: shape (..., n, n), symmetric, n >= 4.

    Returns:
        Same shape; zero diagonals, rows and columns that sum to 0.

    Raises:
        ValueError: n < 4.

    Source:
        Szekely & Rizzo 2014 (U-centring); Song et al. 2012, JMLR 13 (the estimator HSIC_1 it equals).
    """
    n = grams.shape[-1]
    if n < MIN_EXAMPLES:
        raise ValueError(f"U-centring needs Gram matrices of at least 4 examples, got {n}.")
    centred = grams.clone()
    centred.diagonal(dim1=-2, dim2=-1).zero_()
    rows = centred.sum(-1, keepdim=True) / (n - 2)
    total = centred.sum((-2, -1), keepdim=True) / ((n - 1) * (n - 2))
    centred.sub_(rows).sub_(rows.mT).add_(total)
    centred.diagonal(dim1=-2, dim2=-1).zero_()
    return centred
