"""PC1 scores and norms of single examples."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from compare.result.spans import BlockSpan
from compare.similarity.principal import Components


class ExampleScores:
    """PC1 scores and norms of every example in every layer of one model, gathered over minibatches."""

    def __init__(self) -> None:
        self._scores: list[Tensor] = []
        self._norms: list[Tensor] = []
        self._positions: list[Tensor] = []

    def add(self, grams: Tensor, found: Components, first: int) -> None:
        """Add one minibatch.

        Args:
            grams: shape (L, n, n), one of `compare.similarity.gram.gram` per layer.
            found: their components.
            first: how many examples came before.
        """
        squares = found.variance[:, :1] * found.scores[:, :, 0] ** 2
        self._scores.append(squares.float().cpu())
        # A copy: the Gram matrices of the next minibatch take the same place.
        self._norms.append(grams.diagonal(dim1=1, dim2=2).to("cpu", torch.float32, copy=True))
        self._positions.append(torch.arange(first, first + grams.shape[-1], device="cpu"))

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """Where the examples stand among all that passed: shape (n,)."""
        return torch.cat(self._positions).numpy()

    def shares(self, span: BlockSpan) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Each example's share of squared PC1 scores and of squared norms in each layer of a span: shape (layers, n).

        Layers that are constant or not finite are left out.
        """
        scores, norms = (torch.cat(parts, 1)[span.start : span.stop].double() for parts in (self._scores, self._norms))
        varies = (scores.sum(1) > 0) & norms.sum(1).isfinite()
        scores, norms = scores[varies], norms[varies]
        return (scores / scores.sum(1, keepdim=True)).numpy(), (norms / norms.sum(1, keepdim=True)).numpy()
