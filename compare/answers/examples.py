"""The examples on which two classifiers disagree. Needs no torch."""

import numpy as np

from compare.result.disagreement import Example
from compare.stats.paired import Floats, Ints

# More than these nobody looks at, and a result must be read back.
MOST_EXAMPLES = 10_000


def disagreed_examples(
    predictions_a: Ints,
    predictions_b: Ints,
    confidence_a: Floats,
    confidence_b: Floats,
    labels: Ints | None,
    indices: Ints,
) -> tuple[Example, ...]:
    """The examples that two models predict differently, at most 10,000, those where both are surest first.

    Args:
        predictions_a: classes that a predicts, shape (n,), like all others.
        predictions_b: the same of b.
        confidence_a: probability that a gives to its prediction.
        confidence_b: the same of b.
        labels: true classes; None if they are not known.
        indices: where each example stands in the data set.
    """
    differ = np.flatnonzero(predictions_a != predictions_b)
    order = differ[np.argsort(-np.minimum(confidence_a, confidence_b)[differ], kind="stable")][:MOST_EXAMPLES]
    return tuple(
        Example(
            index=int(indices[i]),
            label=None if labels is None else int(labels[i]),
            prediction_a=int(predictions_a[i]),
            prediction_b=int(predictions_b[i]),
            confidence_a=float(confidence_a[i]),
            confidence_b=float(confidence_b[i]),
        )
        for i in order
    )
