"""Inner products of many symmetric matrices, and of their rows, which belong to examples."""

from collections.abc import Callable, Iterator, Sequence

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
        _add_lower_half(products, rows[:, :, start:stop].flatten(1), 1)
        if stop < n:
            _add_lower_half(products, rows[:, :, stop:].flatten(1), 2)
    return _mirror_(products.cpu().T)


def _add_lower_half(products: Tensor, vectors: Tensor, factor: int) -> None:
    """Add the inner products of vectors, times a factor, to the lower half of a matrix."""
    for start in range(0, len(vectors), BLOCK):
        stop = start + BLOCK
        # oneDNN reorders the second factor, so that one is the smaller one.
        part = times_transposed(vectors[start:], vectors[start:stop])
        products[start:, start:stop].add_(part, alpha=factor)


def row_products(matrices: Tensor, examples: slice, rows: slice, columns: slice) -> Tensor:
    """Inner products H_i of the i-th rows of the matrices of some layers and of others.

    Args:
        matrices: one matrix per layer with one row per example, shape (L, n, n).
        examples: the examples i.
        rows: the layers of the rows of H_i.
        columns: the layers of its columns.

    Returns:
        Shape (examples, rows, columns).
    """
    left, right = (matrices[layers, examples].transpose(0, 1) for layers in (rows, columns))
    if len(left) > 1:
        return left @ right.mT
    # The rows of one example are far apart in memory.
    return times_transposed(left[0].contiguous(), right[0].contiguous())[None]


def sums_over_examples(
    row_products: Callable[[slice, slice, slice], Tensor], own: Tensor, parts: Sequence[slice] = ()
) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over examples i of H_i * H_i, H_i * d_i' and d_i d_i', where d_i are the diagonals of H_i.

    Args:
        row_products: blocks of H_i of some examples, as `row_products` returns them.
        own: the diagonals, shape (examples, L), float64.
        parts: consecutive parts of the layers, such as those of one model; of several, only cells between different
            parts are needed.

    Returns:
        Three tensors of shape (L, L), float64, on the CPU. The first two may be NaN where cells are not needed.
    """
    layers = own.shape[1]
    squares, products = torch.full((2, layers, layers), torch.nan, dtype=torch.float64, device="cpu")
    for rows, columns in _blocks(layers, parts):
        sums = torch.zeros(3, rows.stop - rows.start, layers - columns.start, dtype=torch.float64, device=own.device)
        chunk = max(1, (GPU_CHUNK if own.is_cuda else CPU_CHUNK) // sums[0].numel())
        for first in range(0, len(own), chunk):
            examples = slice(first, first + chunk)
            block = row_products(examples, rows, columns).double()
            _add_products(sums, block, own[examples, rows], own[examples, columns])
        squares[rows, columns], by_column, by_row = sums.cpu()
        products[columns, rows], products[rows, columns] = by_row.T, by_column
    return _mirror_(squares), products, (own.T @ own).cpu()


def _blocks(layers: int, parts: Sequence[slice]) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of blocks that have all needed cells of the upper half of a symmetric matrix."""
    several = len(parts) > 1
    last = parts[-1].start if several else layers
    for start in range(0, last, BLOCK):
        left = next(part.stop for part in parts if part.stop > start) if several else start
        yield slice(start, min(start + BLOCK, last)), slice(left, layers)


def _add_products(sums: Tensor, products: Tensor, of_rows: Tensor, of_columns: Tensor) -> None:
    """Add the sums over examples of the squares of a block of H_i, and of it times d_i of its columns and its rows.

    Args:
        sums: shape (3, rows, columns), changed in place.
        products: the block, shape (examples, rows, columns).
        of_rows: d_i of the rows, shape (examples, rows).
        of_columns: d_i of the columns, shape (examples, columns).
    """
    for total, factor in zip(sums, (products, of_columns[:, None], of_rows[:, :, None]), strict=True):
        if len(products) == 1:
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
