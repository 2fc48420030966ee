"""Gram matrices of activations. Every similarity measure is computed from them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

# The unbiased estimator divides by n - 3.
MIN_EXAMPLES = 4
# Number of features to centre and multiply at a time. On a CPU, chunks of this size stay in cache between centring and
# multiplication, and sums do not depend on the number of threads: oneDNN splits longer ones. On a GPU, fewer and larger
# products are faster.
CPU_CHUNK, GPU_CHUNK = 2**14, 2**20
# Rows of a product to compute at a time on a CPU. Blocks of 64 rows need 5/8 of all products of 256 examples.
CPU_ROWS = 64
# Number of examples for an approximate mean; the rest of the mean is removed from the products.
MEAN_EXAMPLES = 4
# Elements of Gram matrices to take at a time, so that copies of them stay in cache.
ELEMENTS = 2**17
# On AMD's processors, MKL multiplies without AVX-512, and oneDNN with it: 256 x 65,536 features took 34 and 17 ms on
# two cores of an EPYC 9005. Products of PyTorch in single precision use MKL, and this linear layer uses oneDNN.
ONEDNN = (
    torch.backends.cpu.get_cpu_capability() == "AVX512"
    and torch.backends.mkldnn.is_available()
    and hasattr(torch.ops.mkldnn, "_linear_pointwise")
)


def gram(features: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Gram matrix of one layer on one minibatch: inner products of its activations, centred over the examples.

    Features are centred before the multiplication. CKA does not depend on their mean, but the rounding errors of raw
    inner products do. A layer whose variation is below the rounding error of its mean counts as constant and gives
    zeros.

    Args:
        features: activations, floating point, shape (n, ...); axes after the first are flattened.
        dtype: precision of the products: float32, float64, or bfloat16. Sums over chunks of features are at least
            float32.

    Returns:
        Shape (n, n), exactly symmetric, rows summing to 0, in squared units of the features. float64 if `dtype` is,
        otherwise float32.
    """
    product = torch.empty(len(features), len(features), dtype=sum_type(dtype), device=features.device)
    finish_grams_(product[None], multiply(features, product, dtype)[None])
    return product


def sum_type(dtype: torch.dtype) -> torch.dtype:
    """Precision of Gram matrices whose products have this precision."""
    return torch.promote_types(dtype, torch.float32)


def multiply(features: Tensor, product: Tensor, dtype: torch.dtype) -> Tensor:
    """Inner products of nearly centred activations: the first half of `gram`.

    Args:
        features: as for `gram`.
        product: output buffer, shape (n, n), of `sum_type(dtype)`; only its lower half is complete.
        dtype: precision of the products.

    Returns:
        Square of what was subtracted from each example, a scalar: the scale of the rounding errors.
    """
    x = _rows(features.detach())
    middle = _middle(x, torch.promote_types(product.dtype, x.dtype))
    width = max(1, min(GPU_CHUNK if x.is_cuda else CPU_CHUNK, x.shape[1]))
    # One buffer for all chunks: allocating memory costs as much as the subtraction.
    room = torch.empty(len(x) * width, dtype=dtype, device=x.device)
    product.zero_()
    for chunk, part in zip(x.split(width, 1), middle.split(width), strict=True):
        _add_lower_half(product, torch.sub(chunk, part, out=room[: chunk.numel()].view(chunk.shape)))
    return middle.dot(middle)


def finish_grams_(products: Tensor, scales: Tensor) -> None:
    """Centre inner products of several layers in place: the second half of `gram`, in few and large operations.

    Args:
        products: lower halves, as from `multiply`, shape (L, n, n).
        scales: what `multiply` returned for each layer, shape (L,).
    """
    n = products.shape[-1]
    rounding = 8 * torch.finfo(products.dtype).eps
    for part, scale in zip(products.split(layers_at_once(n)), scales.split(layers_at_once(n)), strict=True):
        whole = part.tril() + part.tril(-1).mT
        # In double precision where available, because the mean of all products may be far larger than most of them.
        wide = whole if part.device.type == "mps" else whole.double()
        rows = wide.mean(-1)
        # Sums of two rows are the same in both triangles.
        centred = wide - (rows[:, :, None] + rows[:, None]) + rows.mean(-1)[:, None, None]
        part.copy_(centred)
        # A product instead of a branch, which would synchronise a GPU; NaN stays NaN.
        part *= (variances(part) > rounding**2 * n * scale)[:, None, None]


def layers_at_once(n: int) -> int:
    """Number of Gram matrices, shape (n, n), to take at a time; copies of all need as much memory as all of them."""
    return max(1, ELEMENTS // n**2)


def _rows(features: Tensor) -> Tensor:
    """Flatten to one row per example, with features in memory order, so that nothing is copied."""
    if features.ndim == 1:
        return features[:, None]
    order = sorted(range(1, features.ndim), key=features.stride, reverse=True)
    return features.permute(0, *order).flatten(1)


def _middle(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Approximate mean of the examples: the median of three partial means, which is robust to a single outlier."""
    if len(x) < 3:
        return x[0].to(dtype)
    step = max(3, len(x) // MEAN_EXAMPLES)
    a, b, c = (x[start::step].mean(0, dtype=dtype) for start in (0, step // 3, 2 * step // 3))
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


@contextmanager
def exact_products(device: torch.device) -> Iterator[None]:
    """Disable TF32 and autocast, which callers may have enabled for their models."""
    allowed = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(allowed)


def _add_lower_half(product: Tensor, x: Tensor) -> None:
    """Add x x' to the lower half of a matrix, and a part of it to the upper half."""
    rows = CPU_ROWS if x.device.type == "cpu" else -(-len(x) // 2)
    for start in range(0, len(x), rows):
        stop = start + rows
        product[start:stop, :stop] += times_transposed(x[start:stop], x[:stop])


def times_transposed(a: Tensor, b: Tensor) -> Tensor:
    """The product a b', of contiguous matrices."""
    if not (ONEDNN and a.device.type == "cpu" and a.dtype == torch.float32):
        return a @ b.T
    product: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
    return product


def variances(grams: Tensor) -> Tensor:
    """Total variance of each layer, the trace of its Gram matrix: shape (L,). 0 for constant layers."""
    return grams.diagonal(dim1=1, dim2=2).sum(1)


def validity(grams: Tensor) -> Tensor:
    """1 for ordinary layers, 0 for constant ones, NaN for layers that are not finite: shape (L,)."""
    total = variances(grams)
    return (total > 0) + 0 * total


def u_centre(grams: Tensor) -> Tensor:
    """U-centre Gram matrices. Inner products of U-centred matrices are unbiased estimates of n(n-3) HSIC.

    Args:
        grams: shape (..., n, n), symmetric, n >= 4.

    Returns:
        Same shape. Diagonals are 0, and rows and columns sum to 0.

    Raises:
        ValueError: n < 4.

    Source:
        Szekely & Rizzo 2014 (U-centring); Song et al. 2012, JMLR 13 (the estimator HSIC_1 it equals).
    """
    return u_centre_(grams.clone())


def u_centre_(grams: Tensor) -> Tensor:
    """In-place version of `u_centre`, to save memory."""
    n = grams.shape[-1]
    if n < MIN_EXAMPLES:
        raise ValueError(f"U-centring needs Gram matrices of at least 4 examples, got {n}.")
    grams.diagonal(dim1=-2, dim2=-1).zero_()
    rows = grams.sum(-1, keepdim=True) / (n - 2)
    total = grams.sum((-2, -1), keepdim=True) / ((n - 1) * (n - 2))
    grams.sub_(rows).sub_(rows.mT).add_(total)
    grams.diagonal(dim1=-2, dim2=-1).zero_()
    return grams
