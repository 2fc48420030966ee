"""Examples for which two classifiers predict different classes. Needs no torch."""

import numpy as np

from compare.result.disagreement import Example
from compare.stats.paired import Floats, Ints

# Maximum number of examples in a result, to bound the size of its JSON.
MOST_EXAMPLES = 10_000


def disagreed_examples(
    predictions_a: Ints,
    predictions_b: Ints,
    confidence_a: Floats,
    confidence_b: Floats,
    labels: Ints | None,
    indices: Ints,
) -> tuple[Example, ...]:
    """List the examples for which two models predict different classes.

    Args:
        predictions_a: classes predicted by a, shape (n,).
        predictions_b: classes predicted by b, shape (n,).
        confidence_a: probability that a assigns to its prediction, shape (n,).
        confidence_b: probability that b assigns to its prediction, shape (n,).
        labels: true classes, shape (n,); None if they are unknown.
        indices: position of each example in the dataset, shape (n,).

    Returns:
        At most 10,000 examples, sorted by the lower of the two confidences, highest first.
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
