"""Best matches between the layers of two models, and the influence of each example on their mean CKA."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class PairsCKA:
    """CKA of the layers of some pairs of models, as ratios of sums over minibatches.

    Args:
        pairs: numbers of the models of each pair.
    """

    def __init__(self, pairs: Sequence[tuple[int, int]]) -> None:
        self._pairs = pairs
        self._norms: dict[int, Tensor] = {}
        self._products: dict[tuple[int, int], Tensor] = {}
        self._first: dict[int, Tensor] = {}

    def add(self, number: int, grams: Tensor) -> None:
        """Add one model on one minibatch. Double precision keeps the squares of single precision within range.

        Args:
            number: number of the model. The first model of a pair comes before the second one.
            grams: U-centred Gram matrices of its layers, shape (L, n, n).
        """
        if any(pair[0] == number for pair in self._pairs):
            self._first[number] = grams
        norms = _row_products(grams, grams).sum(1).cpu()
        self._norms[number] = self._norms[number] + norms if number in self._norms else norms
        for pair in self._pairs:
            if pair[1] == number:
                product = (self._first[pair[0]].flatten(1).double() @ grams.flatten(1).double().T).cpu()
                self._products[pair] = self._products[pair] + product if pair in self._products else product

    def norms(self, number: int) -> Tensor:
        """Sum of squares of each layer of a model: shape (L,)."""
        return self._norms[number]

    def cka(self, pair: tuple[int, int]) -> Tensor:
        """CKA of the layers of two models: shape (L, M). NaN for layers that are constant or not finite."""
        if pair not in self._products:
            return self.cka((pair[1], pair[0])).T
        one, other = (self._norms[number].sqrt() for number in pair)
        return self._products[pair] / (one[:, None] * other)


class Match(NamedTuple):
    """The best match of each layer of one model among the layers of another.

    Attributes:
        pair: numbers of both models.
        rows: numbers of the layers of the first model, shape (K,).
        columns: the most similar layer of the second model, shape (K,).
        cka: CKA of both, shape (K,).
        norms: sums of squares of the layers in `rows` and in `columns`, each of shape (K,).
    """

    pair: tuple[int, int]
    rows: Tensor
    columns: Tensor
    cka: Tensor
    norms: tuple[Tensor, Tensor]

    def only(self, rows: Tensor) -> "Match":
        """The matches of some layers of the first model."""
        kept = torch.isin(self.rows, rows)
        norms = self.norms[0][kept], self.norms[1][kept]
        return self._replace(rows=self.rows[kept], columns=self.columns[kept], cka=self.cka[kept], norms=norms)

    def influences(self, first: Tensor, second: Tensor) -> Tensor:
        """Influence of each example of a minibatch on the mean CKA of the matches, divided by the number of examples.

        Constant terms are left out; they cancel in the sum over all examples.

        Args:
            first: U-centred Gram matrices of the first model, shape (L, n, n).
            second: U-centred Gram matrices of the second model, shape (M, n, n).

        Returns:
            Shape (n,), float64, on the CPU.
        """
        first, second = first[self.rows.to(first.device)], second[self.columns.to(second.device)]
        products = [_row_products(*factors).cpu() for factors in ((first, second), (first, first), (second, second))]
        norms = [norm[:, None] for norm in self.norms]
        shares = products[1] / norms[0] + products[2] / norms[1]
        values = products[0] / (norms[0].sqrt() * norms[1].sqrt()) - self.cka[:, None] / 2 * shares
        return 2 * values.mean(0)


def best_match(sums: PairsCKA, pair: tuple[int, int]) -> Match:
    """Find the best match of each layer that has a CKA.

    Args:
        sums: the finished sums.
        pair: numbers of two models, in either order.
    """
    cka = sums.cka(pair)
    rows = (~cka.isnan().all(1)).nonzero()[:, 0]
    values, columns = cka[rows].nan_to_num(-torch.inf).max(1) if len(rows) else (cka.new_empty(0), rows)
    return Match(pair, rows, columns, values, (sums.norms(pair[0])[rows], sums.norms(pair[1])[columns]))


def _row_products(one: Tensor, other: Tensor) -> Tensor:
    """Inner products of the rows of matrices: shape (L, n), float64."""
    return (one.double() * other.double()).sum(-1)
