"""PC1 scores and norms of single examples."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from compare.similarity.principal import Components


class ExampleScores:
    """PC1 scores and norms of every example in every layer of one model, collected over minibatches."""

    def __init__(self) -> None:
        self._scores: list[Tensor] = []
        self._norms: list[Tensor] = []
        self._positions: list[Tensor] = []

    def add(self, grams: Tensor, parts: Components, first: int) -> None:
        """Add one minibatch.

        Args:
            grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n).
            parts: principal components of these Gram matrices.
            first: number of examples in earlier minibatches.
        """
        squares = parts.variance[:, :1] * parts.scores[:, :, 0] ** 2
        self._scores.append(squares.float().cpu())
        # A copy, because the next minibatch overwrites the Gram matrices.
        self._norms.append(grams.diagonal(dim1=1, dim2=2).to("cpu", torch.float32, copy=True))
        self._positions.append(torch.arange(first, first + grams.shape[-1], device="cpu"))

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """Position of each example in the pass over the data: shape (n,)."""
        return torch.cat(self._positions).numpy()

    def shares(self, layers: Sequence[int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Each example's share of the squared PC1 scores and of the squared norms, in each of some layers.

        Args:
            layers: indices of the layers.

        Returns:
            Shares of squared PC1 scores and shares of squared norms, each of shape (layers, n), rows summing to 1.
            Layers that are constant or not finite are left out.
        """
        scores, norms = (torch.cat(tensors, 1)[layers].double() for tensors in (self._scores, self._norms))
        varies = (scores.sum(1) > 0) & norms.sum(1).isfinite()
        scores, norms = scores[varies], norms[varies]
        return (scores / scores.sum(1, keepdim=True)).numpy(), (norms / norms.sum(1, keepdim=True)).numpy()
