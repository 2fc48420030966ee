"""Best matches between the layers of two models, and the influence of each example on their mean CKA."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from compare.similarity.gram import exact_products, layers_at_once, times_transposed, u_centre_


class CentredLayers(NamedTuple):
    """U-centred Gram matrices of the layers of one model on one minibatch of n examples.

    Attributes:
        grams: shape (L, n, n), each divided by a power of two, so that squares of single precision stay within range.
        scales: these powers of two, shape (L,), float64, on the CPU.
        own: inner product of each row with itself before the division, shape (L, n), float64, on the CPU.
    """

    grams: Tensor
    scales: Tensor
    own: Tensor


def centred_layers(grams: Tensor) -> CentredLayers:
    """U-centre the Gram matrices of one model on one minibatch.

    Args:
        grams: centred Gram matrices, shape (L, n, n), n >= 4; changed in place.
    """
    u_centre_(grams)
    exponents = torch.frexp(torch.maximum(grams.amax((1, 2)), -grams.amin((1, 2)))).exponent
    scales = 2.0 ** (exponents.cpu().double() - 1)
    grams /= scales.to(grams)[:, None, None]
    parts = grams.split(layers_at_once(grams.shape[-1]))
    return CentredLayers(grams, scales, _row_products(zip(parts, parts, strict=True)) * scales[:, None] ** 2)


class PairsCKA:
    """CKA of the layers of some pairs of models, as ratios of sums over minibatches.

    Args:
        pairs: numbers of the models of each pair.
    """

    def __init__(self, pairs: Sequence[tuple[int, int]]) -> None:
        self._pairs = pairs
        self._norms: dict[int, Tensor] = {}
        self._products: dict[tuple[int, int], Tensor] = {}
        self._first: dict[int, CentredLayers] = {}

    def add(self, number: int, layers: CentredLayers) -> None:
        """Add one model on one minibatch.

        Args:
            number: number of the model. The first model of a pair comes before the second one.
            layers: its layers.
        """
        if any(pair[0] == number for pair in self._pairs):
            self._first[number] = layers
        norms = layers.own.sum(1)
        self._norms[number] = self._norms[number] + norms if number in self._norms else norms
        for pair in self._pairs:
            if pair[1] == number:
                product = _products(self._first[pair[0]], layers)
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
        chosen = torch.isin(self.rows, rows)
        norms = self.norms[0][chosen], self.norms[1][chosen]
        return self._replace(rows=self.rows[chosen], columns=self.columns[chosen], cka=self.cka[chosen], norms=norms)

    def influences(self, first: CentredLayers, second: CentredLayers) -> Tensor:
        """Influence of each example of a minibatch on the mean CKA of the matches, divided by the number of examples.

        Constant terms are left out; they cancel in the sum over all examples.

        Args:
            first: layers of the first model.
            second: layers of the second model.

        Returns:
            Shape (n,), float64, on the CPU.
        """
        scales = first.scales[self.rows] * second.scales[self.columns]
        step = layers_at_once(first.grams.shape[-1])
        chosen = zip(self.rows.split(step), self.columns.split(step), strict=True)
        products = _row_products((first.grams[rows], second.grams[columns]) for rows, columns in chosen)
        norms = [norm[:, None] for norm in self.norms]
        shares = first.own[self.rows] / norms[0] + second.own[self.columns] / norms[1]
        numerators = products * scales[:, None] / (norms[0].sqrt() * norms[1].sqrt())
        values = numerators - self.cka[:, None] / 2 * shares
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


def _products(one: CentredLayers, other: CentredLayers) -> Tensor:
    """Inner products of the Gram matrices of two models: shape (L, M), float64, on the CPU."""
    with exact_products(one.grams.device):
        products = times_transposed(one.grams.flatten(1), other.grams.flatten(1)).cpu()
    return products.double() * one.scales[:, None] * other.scales


def _row_products(parts: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Inner products of the rows of matrices, shape (n, n) each: shape (L, n), float64, on the CPU."""
    return torch.cat([(one * other).sum(2, dtype=torch.float64) for one, other in parts]).cpu()
