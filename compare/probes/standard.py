"""Standardisation of features and a sketch of their covariance, accumulated over minibatches."""

import torch
from torch import Tensor

from compare.similarity.gram import exact_products

# Number of principal directions that the sketch finds.
RANK = 16


class Standard:
    """Mean and standard deviation of each feature, from one pass over the examples.

    Source:
        Chan, Golub & LeVeque 1979 (merging the moments of two sets).
    """

    def __init__(self) -> None:
        self._examples = 0
        self._mean = self._squares = torch.empty(0)
        self._factor = torch.empty(0)

    def add(self, x: Tensor) -> None:
        """Add a minibatch, shape (n, d)."""
        mean = x.mean(0)
        squares = (x - mean).square_().sum(0)
        if not self._examples:
            self._mean, self._squares = torch.zeros_like(mean), torch.zeros_like(mean)
        self._examples += len(x)
        share = len(x) / self._examples
        apart = mean - self._mean
        self._squares += squares + apart.square() * (share * (self._examples - len(x)))
        self._mean += apart * share

    @property
    def features(self) -> int:
        """Number of features, including constant ones."""
        return len(self._mean)

    def finish(self) -> str | None:
        """End the pass.

        Returns:
            Why these features cannot be probed; None if they can.
        """
        if not self._squares.isfinite().all():
            return "has values that are too large or not finite"
        deviation = (self._squares / self._examples).sqrt()
        # Features whose deviation is below the rounding error of their mean count as constant.
        varies = deviation > 8 * torch.finfo(deviation.dtype).eps * self._mean.abs()
        if not varies.any():
            return "is constant over examples"
        self._factor = torch.where(varies, 1 / (deviation * varies.sum().sqrt()), 0.0)
        return None

    def rows(self, x: Tensor) -> Tensor:
        """Standardise a minibatch, after `finish`.

        Args:
            x: shape (n, d).

        Returns:
            Shape (n, d + 1): features with mean 0 and equal variance, scaled so that the mean squared norm of a row is
            1 for any d, and a column of ones for the intercept. Constant features are 0.
        """
        rows = x.new_ones(len(x), x.shape[1] + 1)
        torch.sub(x, self._mean, out=rows[:, :-1]).mul_(self._factor)
        return rows


class Sketch:
    """Principal directions of standardised features, from one pass over the examples.

    Args:
        features: number of features.
        generator: random generator on the CPU.

    Source:
        Tropp, Yurtsever, Udell & Cevher 2017, arXiv:1706.05736 (Nystrom approximation from a random sketch).
    """

    def __init__(self, features: int, generator: torch.Generator) -> None:
        test = torch.randn(features, min(RANK, features), generator=generator, device="cpu")
        self._test = torch.linalg.qr(test).Q
        self._product = torch.zeros_like(self._test)
        self._examples = 0

    def add(self, rows: Tensor) -> None:
        """Add a minibatch of `Standard.rows`, shape (n, d + 1)."""
        x = rows[:, :-1]
        self._test, self._product = self._test.to(x.device), self._product.to(x.device)
        with exact_products(x.device):
            self._product += x.T @ (x @ self._test)
        self._examples += len(x)

    def components(self) -> tuple[Tensor, Tensor]:
        """Largest eigenvalues and eigenvectors of the features' covariance.

        Returns:
            Eigenvalues, descending, at most the true ones up to rounding, shape (k,); eigenvectors, shape (d, k).
        """
        device = self._test.device
        test, product = self._test.cpu().double(), self._product.cpu().double() / self._examples
        # A small shift keeps the matrix positive definite if the features have a lower rank than the sketch.
        shift = 1e-6 * torch.linalg.matrix_norm(product)
        product += shift * test
        core = test.T @ product
        root = torch.linalg.cholesky((core + core.T) / 2)
        vectors, values, _ = torch.linalg.svd(
            torch.linalg.solve_triangular(root, product.T, upper=False).T, full_matrices=False
        )
        return (values.square() - shift).clamp(min=0).float().to(device), vectors.float().to(device)
