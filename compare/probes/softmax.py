"""Softmax regressions with several regularisation strengths at once, by L-BFGS over full passes."""

from collections import deque

import torch
from torch import Tensor

from compare.similarity.gram import exact_products

# Number of steps that L-BFGS remembers.
MEMORY = 5
# Armijo condition: minimum decrease of the loss relative to its slope, and factor to shorten failed steps.
ARMIJO, SHORTER = 1e-4, 0.3
# Relative rounding error of losses, which are sums in single precision.
ROUNDING = 1e-6


class SoftmaxFits:
    """Several fits to the same features, each with its own examples and regularisation strength.

    Each fit minimises its mean cross-entropy + strength / 2 |W|^2, without penalty on intercepts. During a pass, `add`
    accumulates losses and gradients of the candidate weights. `step` ends the pass and accepts better candidates.

    One component often has most of the variance, and steps that suit it are far too short for the others. Steps are
    therefore preconditioned by a bound of the Hessian, 1/2 covariance + strength, using the largest components of the
    covariance from a sketch. In a layer with 92 % of the variance on one component, where the optimum has an accuracy
    of 84 %, plain L-BFGS reached 67 % in 60 passes, and this reaches 84 % in 40.

    Args:
        strengths: regularisation strengths, positive, shape (fits,).
        classes: number of classes.
        components: eigenvalues, shape (k,), and eigenvectors, shape (d, k), from `Sketch.components`.

    Source:
        Liu & Nocedal 1989 (L-BFGS); Bohning 1992 (the bound); Frangella, Tropp & Udell 2021, arXiv:2110.02820
        (preconditioning by a sketch).
    """

    def __init__(self, strengths: Tensor, classes: int, components: tuple[Tensor, Tensor]) -> None:
        values, self._vectors = components
        self._strengths = strengths.to(values.device)[:, None, None]
        self._top = self._strengths + values / 2
        self._rest = self._strengths + values[-1] / 2
        self._tried = values.new_zeros(len(strengths), classes, len(self._vectors) + 1)
        self.weights = torch.zeros_like(self._tried)
        self.loss = values.new_full((len(strengths),), torch.inf)
        self.held_out = torch.zeros_like(self.loss)
        self._gradient = self._direction = torch.zeros_like(self._tried)
        self._length = torch.ones_like(self.loss)
        self._pairs: deque[tuple[Tensor, Tensor]] = deque(maxlen=MEMORY)
        self._begin()

    def _begin(self) -> None:
        self._sum = torch.zeros_like(self._tried)
        self._losses, self._held_out_losses, self._counts = torch.zeros(3, len(self.loss), device=self.loss.device)

    def add(self, rows: Tensor, labels: Tensor, used: Tensor) -> None:
        """Add a minibatch.

        Args:
            rows: features and a column of ones for the intercept, shape (n, d + 1).
            labels: class numbers, shape (n,).
            used: whether each fit trains on each example; otherwise its loss counts in `held_out`. Shape (n, fits).
        """
        with exact_products(rows.device):
            logs = (rows @ self._tried.flatten(0, 1).T).unflatten(1, self._tried.shape[:2]).log_softmax(2)
            place = labels[:, None, None].expand(-1, len(self.loss), 1)
            losses = -logs.gather(2, place)[..., 0]
            residuals = logs.exp_().scatter_add_(2, place, -torch.ones_like(losses)[..., None])
            residuals *= used[..., None]
            self._sum += (residuals.flatten(1).T @ rows).view_as(self._sum)
        self._counts += used.sum(0)
        self._losses += (losses * used).sum(0)
        self._held_out_losses += (losses * ~used).sum(0)

    def step(self) -> None:
        """End a pass: accept candidates that lower the loss, and choose the next candidates."""
        penalised = torch.cat([self._tried[..., :-1], torch.zeros_like(self._tried[..., -1:])], 2)
        loss = self._losses / self._counts + self._strengths[:, 0, 0] / 2 * _dot(penalised, penalised)
        gradient = self._sum / self._counts[:, None, None] + self._strengths * penalised
        promised = ARMIJO * self._length * _dot(self._gradient, self._direction)
        better = loss <= self.loss * (1 + ROUNDING) + promised
        self._remember(better[:, None, None], gradient)
        self.loss = torch.where(better, loss, self.loss)
        self.held_out = torch.where(better, self._held_out_losses, self.held_out)
        self._direction = torch.where(better[:, None, None], -self._descent(), self._direction)
        self._length = torch.where(better, 1.0, self._length * SHORTER)
        self._tried = self.weights + self._length[:, None, None] * self._direction
        self._begin()

    def _remember(self, better: Tensor, gradient: Tensor) -> None:
        step = torch.where(better, self._tried - self.weights, 0.0)
        change = torch.where(better, gradient - self._gradient, 0.0)
        # The first candidate is not a step.
        if self.loss.isfinite().all():
            self._pairs.append((step, change))
        self.weights = self.weights + step
        self._gradient = self._gradient + change

    def _descent(self) -> Tensor:
        """Multiply the gradient by the inverse Hessian approximation of L-BFGS: the two-loop recursion."""
        result, factors = self._gradient, []
        for step, change in reversed(self._pairs):
            factors.append(_ratio(_dot(step, result), _dot(step, change), 0.0))
            result = result - factors[-1] * change
        result = self._inverse_bound(result)
        if self._pairs:
            step, change = self._pairs[-1]
            curvature = _dot(step, change).clamp(min=0)
            result = result * _ratio(curvature, _dot(change, self._inverse_bound(change)), 1.0)
        for (step, change), factor in zip(self._pairs, reversed(factors), strict=True):
            result = result + step * (factor - _ratio(_dot(change, result), _dot(step, change), 0.0))
        return result

    def _inverse_bound(self, x: Tensor) -> Tensor:
        """Multiply by the inverse of the Hessian bound: shape (fits, classes, d + 1)."""
        with exact_products(x.device):
            along = x[..., :-1] @ self._vectors
            rest = (x[..., :-1] - along @ self._vectors.T) / self._rest
            # The bound is 1/2 for an intercept, whose feature is one.
            return torch.cat([rest + (along / self._top) @ self._vectors.T, 2 * x[..., -1:]], 2)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2))


def _ratio(a: Tensor, b: Tensor, otherwise: float) -> Tensor:
    """Quotients that broadcast to the weights; `otherwise` for fits that took no step."""
    return torch.where((a != 0) & (b > 0), a / b, otherwise)[:, None, None]
