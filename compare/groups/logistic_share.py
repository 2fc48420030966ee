"""The paper's share of differences explained by classes, from three logistic models of all predictions."""

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Differences of logits beyond this count as infinite.
FAR = 30.0
# Rounding error of squared residuals per example.
ROUNDING = 1e-9


def logistic_share(right_a: Bools, right_b: Bools, labels: Ints) -> float | None:
    """Calculate v^2 = (Var A - Var B) / (Var A - Var C), where Var is the mean squared residual of a logistic model.

    Model A has an effect of the example and one of the architecture, B also one of the architecture on each class, and
    C one of the architecture on each example. Given the effect of the architecture, the likelihood of an example
    depends only on how many seeds predict it correctly, and its maximum is the root of a quadratic equation. This
    leaves one parameter to fit for A, and one per class for B. C fits all accuracies exactly. The noise of finitely
    many seeds biases the share downwards.

    Args:
        right_a: whether each model of a is right on each example, shape (seeds_a, n).
        right_b: whether each model of b is right on each example, shape (seeds_b, n).
        labels: class of each example, shape (n,).

    Returns:
        v^2, at most 1 and at least about 0; None if A fits perfectly.

    Source:
        Nguyen et al. 2021, section 7 and appendix F.
    """
    a, b = right_a.sum(0), right_b.sum(0)
    seeds = len(right_a), len(right_b)
    var_a, var_b = 0.0, 0.0
    gap = _fitted_gap(a, b, seeds)
    for label in np.unique(labels):
        of_class = a[labels == label], b[labels == label]
        var_a += _squares(*of_class, seeds, gap)
        var_b += _squares(*of_class, seeds, _fitted_gap(*of_class, seeds))
    return (var_a - var_b) / var_a if var_a > ROUNDING * len(labels) else None


def _fitted_gap(a: Ints, b: Ints, seeds: tuple[int, int]) -> float:
    """Difference of logits, b minus a, for which the fitted number of right answers of b equals the observed one."""
    from scipy.optimize import brentq

    def excess(gap: float) -> float:
        return float(seeds[1] * _fitted(a + b, seeds, gap)[1].sum() - b.sum())

    if excess(-FAR) >= 0 or excess(FAR) <= 0:
        return 0.0 if excess(0.0) == 0 else FAR * (1 if excess(0.0) < 0 else -1)
    return float(brentq(excess, -FAR, FAR))


def _fitted(total: Ints, seeds: tuple[int, int], gap: float) -> tuple[Floats, Floats]:
    """Accuracies in a and b whose logits differ by the gap, fitted to the number of seeds that are right."""
    seeds_a, seeds_b = seeds
    between = (total > 0) & (total < seeds_a + seeds_b)
    right = np.where(between, total, 1.0)
    ratio = np.exp(gap)
    square = (seeds_a + seeds_b - right) * ratio
    linear = seeds_a + seeds_b * ratio - right * (1 + ratio)
    root = np.sqrt(linear**2 + 4 * square * right)
    # Each form of the solution loses precision for one sign of the linear term.
    odds = np.where(linear > 0, 2 * right / (linear + root), (root - linear) / (2 * square))
    never_or_always = (total > 0).astype(np.float64)
    a = np.where(between, odds / (1 + odds), never_or_always)
    return a, np.where(between, ratio * odds / (1 + ratio * odds), never_or_always)


def _squares(a: Ints, b: Ints, seeds: tuple[int, int], gap: float) -> float:
    """Sum of squared residuals, minus those of a fit of all accuracies."""
    fitted_a, fitted_b = _fitted(a + b, seeds, gap)
    return float(
        seeds[0] * np.square(a / seeds[0] - fitted_a).sum() + seeds[1] * np.square(b / seeds[1] - fitted_b).sum()
    )
