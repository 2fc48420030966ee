"""The paper's share of classes in the differences between examples: three logistic models of every answer."""

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Differences of logits beyond this are as good as infinite.
FAR = 30.0
# Squared residuals of a perfect fit.
ROUNDING = 1e-9


def logistic_share(right_a: Bools, right_b: Bools, labels: Ints) -> float | None:
    """v^2 = (Var A - Var B) / (Var A - Var C) of maximum-likelihood fits, Var being the mean squared residual.

    A has an effect of the example and one of the architecture, B one of the architecture on each class, C one on each
    example. Given the difference between the architectures, the likelihood of an example depends only on how many of
    all seeds get it right, and has its maximum at the root of a quadratic equation; so one number is left to find in A,
    and one per class in B. C fits every accuracy exactly. The noise of finitely many seeds makes the share small.

    Args:
        right_a: which examples each model of a gets right, shape (seeds_a, n).
        right_b: the same of b, shape (seeds_b, n).
        labels: class of each example, shape (n,).

    Returns:
        At most 1, and about 0 at least; None where A leaves nothing to explain.

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
    """The difference of logits, b minus a, at which the fitted number of right answers of b is the real one."""
    from scipy.optimize import brentq

    def excess(gap: float) -> float:
        return float(seeds[1] * _fitted(a + b, seeds, gap)[1].sum() - b.sum())

    if excess(-FAR) >= 0 or excess(FAR) <= 0:
        return 0.0 if excess(0.0) == 0 else FAR * (1 if excess(0.0) < 0 else -1)
    return float(brentq(excess, -FAR, FAR))


def _fitted(total: Ints, seeds: tuple[int, int], gap: float) -> tuple[Floats, Floats]:
    """Accuracies of examples in a and b whose logits differ by the gap, and that fit how many seeds are right."""
    seeds_a, seeds_b = seeds
    between = (total > 0) & (total < seeds_a + seeds_b)
    right = np.where(between, total, 1.0)
    ratio = np.exp(gap)
    square = (seeds_a + seeds_b - right) * ratio
    linear = seeds_a + seeds_b * ratio - right * (1 + ratio)
    root = np.sqrt(linear**2 + 4 * square * right)
    # Either form of the solution loses digits for one sign of the linear term.
    odds = np.where(linear > 0, 2 * right / (linear + root), (root - linear) / (2 * square))
    never_or_always = (total > 0).astype(np.float64)
    a = np.where(between, odds / (1 + odds), never_or_always)
    return a, np.where(between, ratio * odds / (1 + ratio * odds), never_or_always)


def _squares(a: Ints, b: Ints, seeds: tuple[int, int], gap: float) -> float:
    """Sum of squared residuals beyond those of a fit of every accuracy."""
    fitted_a, fitted_b = _fitted(a + b, seeds, gap)
    return float(
        seeds[0] * np.square(a / seeds[0] - fitted_a).sum() + seeds[1] * np.square(b / seeds[1] - fitted_b).sum()
    )
