"""Inner products of many symmetric matrices, and of their rows, which belong to examples."""

from collections.abc import Callable

import torch
from torch import Tensor

from compare.similarity.gram import times_transposed

# Number of inner products of single examples to compute at a time. On a CPU, calls for fewer take longer than the
# arithmetic, and more do not stay in cache between operations.
CPU_CHUNK, GPU_CHUNK = 2**13, 2**24
# Number of layers in a block of rows of products. The products are symmetric, so blocks leave out what is left of them.
BLOCK = 128
# Number of rows of symmetric matrices to multiply at a time. Blocks of 32 rows need 9/16 of matrices of 256 examples.
ROWS = 32


def inner_products(matrices: Tensor) -> Tensor:
    """Inner products of all pairs of symmetric matrices.

    Args:
        matrices: shape (L, n, n).

    Returns:
        Shape (L, L), float64, on the CPU.
    """
    layers, n, _ = matrices.shape
    products = torch.zeros(layers, layers, dtype=torch.float64, device=matrices.device)
    for start in range(0, n, ROWS):
        stop = min(start + ROWS, n)
        rows = matrices[:, start:stop]
        # What is right of the diagonal is also below it.
        _add_upper_half(products, rows[:, :, start:stop].flatten(1), 1)
        if stop < n:
            _add_upper_half(products, rows[:, :, stop:].flatten(1), 2)
    return _mirror_(products.cpu())


def _add_upper_half(products: Tensor, vectors: Tensor, factor: int) -> None:
    """Add the inner products of vectors, times a factor, to the upper half of a matrix."""
    for start in range(0, vectors.shape[0], BLOCK):
        part = times_transposed(vectors[start : start + BLOCK], vectors[start:])
        products[start : start + BLOCK, start:].add_(part, alpha=factor)


def row_products(matrices: Tensor, examples: slice, start: int) -> Tensor:
    """Inner products H_i of the i-th rows of the layers of one block and of all layers from the first of the block.

    Args:
        matrices: one matrix per layer with one row per example, shape (L, n, n).
        examples: the examples i.
        start: number of the first layer of the block.

    Returns:
        Shape (examples, block, L - start).
    """
    rows = matrices[start:, examples].transpose(0, 1)
    if rows.shape[0] > 1:
        return rows[:, :BLOCK] @ rows.mT
    # The rows of one example are far apart in memory.
    rows = rows[0].contiguous()
    return times_transposed(rows[:BLOCK], rows)[None]


def sums_over_examples(row_products: Callable[[slice, int], Tensor], own: Tensor) -> tuple[Tensor, ...]:
    """Sums over examples i of H_i, H_i * H_i, H_i * d_i' and d_i d_i', where d_i are the diagonals of H_i.

    Args:
        row_products: blocks of H_i of some examples, as `row_products` returns them.
        own: the diagonals, shape (examples, L), float64.

    Returns:
        Four tensors of shape (L, L), float64, on the CPU.
    """
    layers = own.shape[1]
    total, squares, products = torch.empty(3, layers, layers, dtype=torch.float64, device="cpu")
    for start in range(0, layers, BLOCK):
        stop = min(start + BLOCK, layers)
        rows, right, below = slice(start, stop), slice(start, None), slice(stop, None)
        sums = torch.zeros(4, stop - start, layers - start, dtype=torch.float64, device=own.device)
        chunk = max(1, (GPU_CHUNK if own.is_cuda else CPU_CHUNK) // sums[0].numel())
        for first in range(0, len(own), chunk):
            examples = slice(first, first + chunk)
            _add_products(sums, row_products(examples, start).double(), own[examples, right])
        total[rows, right], squares[rows, right], products[rows, right], by_row = sums.cpu()
        products[below, rows] = by_row[:, stop - start :].T
    return _mirror_(total), _mirror_(squares), products, (own.T @ own).cpu()


def _add_products(sums: Tensor, products: Tensor, own: Tensor) -> None:
    """Add the sums over examples of a block of H_i, of its squares, and of it times d_i of its columns and its rows.

    Args:
        sums: shape (4, block, layers), changed in place.
        products: the block, shape (examples, block, layers).
        own: d_i of its columns, of which the first are its rows, shape (examples, layers).
    """
    factors = (products.new_ones(products.shape[0], 1, 1), products, own[:, None], own[:, : products.shape[1], None])
    for total, factor in zip(sums, factors, strict=True):
        if products.shape[0] == 1:
            # Nothing in between is written to memory.
            total.addcmul_(products[0], factor[0])
        else:
            total += (products * factor).sum(0)


def _mirror_(matrix: Tensor) -> Tensor:
    """Make a matrix symmetric, in place, by its upper triangle."""
    for start in range(0, len(matrix), BLOCK):
        stop = start + BLOCK
        block = matrix[start:stop, start:stop]
        block.copy_(block.triu() + block.triu(1).T)
        matrix[stop:, start:stop] = matrix[start:stop, stop:].T
    return matrix
