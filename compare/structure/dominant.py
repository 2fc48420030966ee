"""Dominant examples: the few images that cause a block structure."""

from collections.abc import Sequence
from itertools import product
from math import ceil

import numpy as np
import numpy.typing as npt
from torch import Tensor

from compare.result.inside import DominantExample, DominantExamples, SharedExamples
from compare.similarity.example_scores import ExampleScores

# Fraction of examples that count as dominant: the smaller of the two that the follow-up paper removes.
DOMINANT_SHARE = 0.01
# Maximum number of dominant examples listed in a result.
MOST_NAMED = 10


def dominant_examples(
    scores: ExampleScores, layers: Sequence[int], indices: Tensor, labels: Tensor | None
) -> DominantExamples:
    """Find the examples that dominate a block: those with the largest squared PC1 scores.

    Args:
        scores: PC1 scores and norms of all examples in all layers of the model.
        layers: indices of the layers of the block.
        indices: position of each example in the dataset, shape (n,).
        labels: class number of each example, shape (n,); None without labels.

    Source:
        Nguyen, Raghu & Kornblith 2022, arXiv:2202.07184: dominant datapoints have the largest projections on the first
        principal component. PC1 is computed per minibatch here, so that it comes from the same pass as CKA.
    """
    pc1, norm = scores.shares(layers)
    strength = pc1.mean(0)
    top = _top(strength)
    positions = scores.positions
    typical = float(np.median(strength))
    return DominantExamples(
        count=len(top),
        pc1_share=float(strength[top].sum()),
        norm_share=float(norm.mean(0)[top].sum()),
        layer_overlap=_layer_overlap(pc1),
        to_median=float((strength[top[0]] / typical) ** 0.5) if typical else None,
        examples=tuple(
            DominantExample(
                index=int(indices[positions[i]]),
                label=None if labels is None else int(labels[positions[i]]),
                pc1_share=float(strength[i]),
                norm_share=float(norm[:, i].mean()),
            )
            for i in top[:MOST_NAMED]
        ),
    )


def strongest(scores: ExampleScores, layers: Sequence[int], share: float = DOMINANT_SHARE) -> list[int]:
    """Find the examples that dominate some layers, strongest first.

    Args:
        scores: PC1 scores and norms of all examples in all layers of the model.
        layers: indices of the layers.
        share: fraction of the examples to return, in (0, 1).

    Returns:
        Positions of the examples in the pass over the data.
    """
    strength = scores.shares(layers)[0].mean(0)
    return [int(position) for position in scores.positions[_top(strength, share)]]


def shared_examples(a: Sequence[list[int]], b: Sequence[list[int]], examples: int) -> tuple[SharedExamples, ...]:
    """Test which blocks of two models are dominated by the same examples.

    Args:
        a: dominant examples of each block of model a.
        b: dominant examples of each block of model b.
        examples: number of all examples.

    Returns:
        One entry per block of a and block of b.
    """
    return tuple(_shared(i, j, a[i], b[j], examples) for i, j in product(range(len(a)), range(len(b))))


def _shared(i: int, j: int, top_a: list[int], top_b: list[int], examples: int) -> SharedExamples:
    count, common = len(top_a), len(set(top_a) & set(top_b))
    return SharedExamples(i, j, common / count, count / examples, _chance_of(common, count, examples))


def _chance_of(common: int, count: int, examples: int) -> float:
    """Probability that two sets of `count` random examples share at least `common` of them (hypergeometric)."""
    fewest = max(0, 2 * count - examples)
    if common <= fewest:
        return 1.0
    shared = np.arange(common, count + 1)
    logs = _log_choices(count, shared) + _log_choices(examples - count, count - shared)
    return float(np.exp(logs - _log_choices(examples, count)).sum())


def _log_choices(n: int, k: npt.NDArray[np.int64] | int) -> npt.NDArray[np.float64]:
    """Logarithm of the number of ways to choose k of n examples."""
    # scipy.stats takes longer to import than a comparison of small models.
    from scipy.special import gammaln

    logs: npt.NDArray[np.float64] = gammaln(n + 1) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n + 1, k))
    return logs


def _top(strength: npt.NDArray[np.float64], share: float = DOMINANT_SHARE) -> npt.NDArray[np.int64]:
    """Indices of the strongest examples, strongest first, at least one; ties keep their order."""
    return np.argsort(-strength, kind="stable")[: ceil(share * len(strength))]


def _layer_overlap(pc1: npt.NDArray[np.float64]) -> float:
    """Mean overlap of the strongest examples of two layers, over pairs of different layers."""
    tops = [_top(layer) for layer in pc1]
    member = np.zeros(pc1.shape)
    for row, top in zip(member, tops, strict=True):
        row[top] = 1
    common = member @ member.T / len(tops[0])
    others = ~np.eye(len(common), dtype=bool)
    return float(common[others].mean())
