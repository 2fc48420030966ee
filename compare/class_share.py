"""How much of the differences between examples is a matter of their class."""

import numpy as np
import numpy.typing as npt

from compare.group_result import ClassShare
from compare.spread import example_variance

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def class_share(right_a: Bools, right_b: Bools, labels: Ints) -> ClassShare:
    """Split the variance of the accuracy difference of a and b between examples into classes and the rest.

    The paper fits three models to every answer of every seed: (A) an effect of the example and one of the architecture,
    (B) with one of the architecture on each class, (C) with one on each example; and takes the squared residuals,
    v^2 = (Var A - Var B) / (Var A - Var C). With effects on accuracies instead of its logits, least squares has a
    closed form. Let d be an example's difference of accuracies: A fits its mean over all examples, B that over each
    class, and C d itself. All residuals have a common factor, and

        v^2 = variance of d between classes / variance of d between examples.

    Both variances hold the noise of finitely many seeds, of which that between examples has more. Here the variance
    of each mean of d, over seeds, is subtracted: for single examples, for classes, and for all examples together. Each
    comes from the seeds' own means, since the answers of one model to several examples are not independent. Both
    corrected variances are unbiased. The examples are taken as given; their number is not corrected for, but `chance`
    is what classes without meaning would explain.

    Args:
        right_a: which examples each model of a gets right, shape (seeds_a, n), at least two seeds.
        right_b: the same of b, shape (seeds_b, n).
        labels: class of each example, shape (n,).

    Source:
        Nguyen et al. 2021, section 7 and appendix F.3 (v^2); McHugh & Mielke 1968, J. Am. Stat. Assoc. 63:1000
        (permuted labels).
    """
    classes, sizes = np.unique(labels, return_counts=True)
    weights = sizes / len(labels)
    place = np.searchsorted(classes, labels)
    d = right_a.mean(0) - right_b.mean(0)
    by_class = np.bincount(place, weights=d) / sizes
    noise = example_variance(right_a) / len(right_a) + example_variance(right_b) / len(right_b)
    noise_by_class = _class_noise(right_a, place, sizes) + _class_noise(right_b, place, sizes)
    noise_of_all = _class_noise(right_a, 0 * place, sizes.sum()) + _class_noise(right_b, 0 * place, sizes.sum())
    total, between = d.var(), weights @ (by_class - d.mean()) ** 2
    true_total = float(total - noise.mean() + noise_of_all[0])
    true_between = float(between - weights @ noise_by_class + noise_of_all[0])
    return ClassShare(
        total=true_total,
        between=true_between,
        share=float(np.clip(true_between / true_total, 0, 1)) if true_total > 0 else None,
        uncorrected=float(between / total) if total > 0 else None,
        chance=(len(classes) - 1) / max(1, len(labels) - 1),
    )


def _class_noise(right: Bools, place: Ints, sizes: npt.ArrayLike) -> Floats:
    """Squared standard error of each class's accuracy, from its spread over the seeds."""
    accuracy = np.stack([np.bincount(place, weights=row) for row in right]) / np.asarray(sizes)
    noise: Floats = accuracy.var(0, ddof=1) / len(right)
    return noise
