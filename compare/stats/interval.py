"""Level of significance, and intervals of one proportion, without NumPy, whose import takes longer than a report."""

from typing import Any

# Two-sided 95 % quantile of the normal distribution.
Z95 = 1.959963984540054
# P-values below this are significant.
LEVEL = 0.05


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % Wilson interval of one proportion. `compare.stats.paired.wilson` takes arrays.

    Args:
        successes: number of successes.
        n: number of trials, at least 1.

    Returns:
        Lower and upper end, in [0, 1].

    Source:
        Wilson 1927, J. Am. Stat. Assoc. 22:209.
    """
    low, high = wilson_ends(successes / n, n)
    return max(0.0, low), min(1.0, high)


def wilson_ends(p: Any, n: Any) -> tuple[Any, Any]:
    """Ends of Wilson intervals, of numbers or arrays. Rounding may exceed [0, 1] where a proportion is 0 or 1.

    Args:
        p: proportions.
        n: numbers of trials, at least 1.
    """
    centre = p + Z95**2 / (2 * n)
    half = Z95 * (p * (1 - p) / n + Z95**2 / (4 * n**2)) ** 0.5
    scale = 1 + Z95**2 / n
    return (centre - half) / scale, (centre + half) / scale
