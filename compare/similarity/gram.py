"""Gram matrices of activations: what every measure of this package is computed from."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

# Fewer examples than this leave the unbiased estimator undefined.
MIN_EXAMPLES = 4
# Features that are centred and multiplied at a time. On a CPU they then stay in cache between the two: on two cores the
# centred Gram matrices of a comparison took 6.9 s, where one plain product per layer took 6.4 s, and centring all
# features of a layer before one product half as long again. On a GPU fewer and larger products are better.
CPU_CHUNK, GPU_CHUNK = 4096, 2**20
# Means over so many examples come close enough to that of all: the rest is taken from the products.
MEAN_EXAMPLES = 11


def gram(features: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Inner products of one layer's activations on one minibatch, centred over the examples.

    Centring the features first is what keeps single precision exact: CKA does not depend on their mean, but the
    rounding of raw inner products does. A spread below the rounding of the mean is no spread: such a constant layer
    gives zeros.

    Args:
        features: activations, floating point, shape (n, ...); the axes after the first are flattened.
        dtype: precision of the products: float32, float64, or bfloat16, whose sums over thousands of features are.

    Returns:
        Shape (n, n), symmetric to the last bit, rows sum to 0, in squared units of the features; float64 if asked for,
        else float32.
    """
    x = _rows(features.detach())
    summed = torch.promote_types(dtype, torch.float32)
    exact = torch.promote_types(summed, x.dtype)
    product = torch.zeros(len(x), len(x), dtype=summed, device=x.device)
    middle = _middle(x, exact)
    width = max(1, min(GPU_CHUNK if x.is_cuda else CPU_CHUNK, x.shape[1]))
    # One place for all chunks: fresh memory costs as much as the subtraction.
    room = torch.empty(len(x) * width, dtype=dtype, device=x.device)
    for chunk, part in zip(x.split(width, 1), middle.split(width), strict=True):
        _add_lower_half(product, torch.sub(chunk, part, out=room[: chunk.numel()].view(chunk.shape)))
    half = len(x) // 2
    product[:half, half:] = product[half:, :half].T
    # In double precision where there is one, because the mean of all products may be far larger than most of them.
    wide = product if x.device.type == "mps" else product.double()
    rows = wide.mean(1)
    product = (wide - rows - rows[:, None] + rows.mean()).to(summed)
    # Rounding differs on the two sides of the diagonal in double precision.
    product = product.tril() + product.tril(-1).T
    rounding = 8 * torch.finfo(summed).eps
    # A product rather than a branch, which would make a GPU wait; NaN stays NaN.
    return product * (product.trace() > rounding**2 * len(x) * middle.dot(middle))


def _rows(features: Tensor) -> Tensor:
    """One row per example, the features in the order in which they lie in memory, so that nothing is copied."""
    if features.ndim == 1:
        return features[:, None]
    order = sorted(range(1, features.ndim), key=features.stride, reverse=True)
    return features.permute(0, *order).flatten(1)


def _middle(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Middle one of three means of different examples, so that no single outlier is subtracted from all the others."""
    if len(x) < 3:
        return x[0].to(dtype)
    step = max(3, len(x) // MEAN_EXAMPLES)
    a, b, c = (x[start::step].mean(0, dtype=dtype) for start in (0, step // 3, 2 * step // 3))
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


@contextmanager
def exact_products(device: torch.device) -> Iterator[None]:
    """Multiply in the precision of the numbers, whatever the caller has allowed for the speed of models."""
    allowed = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(allowed)


def _add_lower_half(product: Tensor, x: Tensor) -> None:
    """Add x x' to a symmetric matrix, but for the upper right quarter, which is the lower left one transposed."""
    half = len(x) // 2
    if x.dtype == product.dtype:
        product[half:].addmm_(x[half:], x.T)
        product[:half, :half].addmm_(x[:half], x[:half].T)
    else:
        product[half:] += x[half:] @ x.T
        product[:half, :half] += x[:half] @ x[:half].T


def variances(grams: Tensor) -> Tensor:
    """Traces: shape (L,); 0 for a constant layer, not finite for one that is not."""
    return grams.diagonal(dim1=1, dim2=2).sum(1)


def known(grams: Tensor) -> Tensor:
    """What a layer's values are multiplied by: one; zero if it is constant, NaN if it is not finite: shape (L,)."""
    total = variances(grams)
    return (total > 0) + 0 * total


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
    return u_centre_(grams.clone())


def u_centre_(grams: Tensor) -> Tensor:
    """The same in place, since the Gram matrices of many layers take much memory."""
    n = grams.shape[-1]
    if n < MIN_EXAMPLES:
        raise ValueError(f"U-centring needs Gram matrices of at least 4 examples, got {n}.")
    grams.diagonal(dim1=-2, dim2=-1).zero_()
    rows = grams.sum(-1, keepdim=True) / (n - 2)
    total = grams.sum((-2, -1), keepdim=True) / ((n - 1) * (n - 2))
    grams.sub_(rows).sub_(rows.mT).add_(total)
    grams.diagonal(dim1=-2, dim2=-1).zero_()
    return grams
