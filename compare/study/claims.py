"""The claims of the paper, their tests, and the verdict of a study on each."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from compare.result.base import NOTHING, Estimate
from compare.result.study import Claim, Verdict
from compare.stats.interval import LEVEL
from compare.stats.paired import holm
from compare.study.claim_tests import (
    Measured,
    along,
    between,
    component,
    deletion,
    errors,
    less_data,
    probes,
    removal,
)
from compare.study.deep_and_wide import EQUAL
from compare.study.networks import Study

# A confounder of all tests that compare layers inside and outside of block structure.
PLACE = "The position of block structure in the network may contribute to the difference."
SCORE = "block structure score, from 0 (none) to 1"
SIZES = (
    "Permutation test of a rising score (Jonckheere-Terpstra) over the networks trained on the largest part of the "
    "data. The effect is the share of pairs of networks in which the {0} one has a higher score, minus the share in "
    "which it has a lower one."
)
# The unit of all tests is the seed; see `compare.study.reproduction.SCOPE` for the reason.
WITHIN_SEEDS = "a seed. Scores are exchanged only between networks of the same seed."
MEAN_OF_SEED = "a seed: the mean over its networks."
PAIRS_OF_SEEDS = (
    "a seed. CKA belongs to pairs of seeds, and pairs with a common seed are not independent, so each seed gets a "
    "jackknife pseudo-value from the means of the pairs."
)


@dataclass(frozen=True)
class Definition:
    """A claim of the paper and its test.

    Args:
        key: short name of the claim.
        statement: the claim as a sentence.
        source: section or figure of the paper.
        quantity: description of the measured quantity, with its unit.
        test: description of the statistical test.
        unit: what counts as one independent unit of the test.
        measure: function that runs the test on a study.
    """

    key: str
    statement: str
    source: str
    quantity: str
    test: str
    unit: str
    measure: Callable[[Study], Measured]


def judge(study: Study) -> tuple[Claim, ...]:
    """Test all claims, in the order of the paper, and correct their p-values with Holm's method.

    Args:
        study: measurements of all networks.
    """
    measured = [_measurable(definition.measure(study)) for definition in CLAIMS]
    p_values = np.array([result.tested.p_value for result in measured if result.tested], dtype=np.float64)
    adjusted = iter(holm(p_values).tolist())
    return tuple(
        _claim(definition, result, next(adjusted) if result.tested else None)
        for definition, result in zip(CLAIMS, measured, strict=True)
    )


def _measurable(result: Measured) -> Measured:
    """Discard a test that cannot reach significance with so few seeds."""
    if result.tested is None or result.tested.least < LEVEL:
        return result
    least = f"{result.tested.least:.2g}"
    return replace(result, tested=None, reason=f"with so few networks, p-values cannot be below {least}.")


def _claim(definition: Definition, result: Measured, adjusted: float | None) -> Claim:
    tested = result.tested
    return Claim(
        key=definition.key,
        statement=definition.statement,
        source=definition.source,
        verdict=_verdict(result, adjusted),
        reason=result.reason,
        quantity=definition.quantity,
        test=definition.test,
        unit=definition.unit,
        effect=result.effect or (Estimate(tested.effect, None, None) if tested else NOTHING),
        p_value=tested.p_value if tested else None,
        p_adjusted=adjusted,
        remark=result.remark,
        readings=result.readings,
    )


def _verdict(result: Measured, adjusted: float | None) -> Verdict:
    if result.tested is None or adjusted is None:
        return "not measurable"
    if adjusted >= LEVEL or result.reason:
        return "not shown"
    return "shown" if result.tested.effect > 0 else "opposite"


CLAIMS = (
    Definition(
        "depth",
        "Block structure appears with depth.",
        "figure 1",
        SCORE,
        SIZES.format("deeper"),
        WITHIN_SEEDS,
        along(Study.depths, "depth"),
    ),
    Definition(
        "width",
        "Block structure appears with width.",
        "figure 1",
        SCORE,
        SIZES.format("wider"),
        WITHIN_SEEDS,
        along(Study.widths, "width"),
    ),
    Definition(
        "less-data",
        "With less data, block structure appears in smaller networks.",
        "figures 2 and D.2",
        SCORE,
        "Permutation test of a rising score (Jonckheere-Terpstra) over parts of the data, within each architecture. "
        "The effect is the share of pairs of networks in which the one with less data has a higher score, minus the "
        "share in which it has a lower one.",
        WITHIN_SEEDS,
        less_data,
    ),
    Definition(
        "component",
        "The similarity inside of block structure is that of the first principal component.",
        "figures 3 and D.7",
        "share of CKA that the first components make, and correlation of CKA with their alignment",
        "Student's t-tests of both differences between inside and outside; the larger p-value counts. The share is "
        "over pairs of layers at equal distances, the correlation over pairs with and without a layer in block "
        "structure.",
        MEAN_OF_SEED,
        component,
    ),
    Definition(
        "removal",
        "Without the first principal component, most of block structure disappears.",
        "figures 3 and D.6",
        "contrast of block structure: mean CKA within minus across its borders, at equal distances in layers",
        "Student's t-test of half of the contrast, minus the contrast of the same layers without first components.",
        MEAN_OF_SEED,
        removal,
    ),
    Definition(
        "seeds",
        "Block structure is unique to each seed, while layers outside of it are similar.",
        "figure 6",
        "CKA of the same layer between seeds",
        f"Student's t-test of the difference. {PLACE}",
        PAIRS_OF_SEEDS,
        between("seeds"),
    ),
    Definition(
        "architectures",
        "Layers outside of block structure are similar across architectures.",
        "figure E.1",
        "CKA with the most similar layer of the same stage, between architectures of different seeds",
        "Student's t-test of the difference. Networks with the same seed are not compared, because layers of equal "
        f"shape start from the same weights. {PLACE}",
        PAIRS_OF_SEEDS,
        between("architectures"),
    ),
    Definition(
        "probes",
        "Linear probes do not improve inside of block structure.",
        "figure 4",
        "accuracy gain of a linear probe per residual block, in percentage points",
        f"Student's t-test of the difference. {PLACE}",
        MEAN_OF_SEED,
        probes,
    ),
    Definition(
        "deletion",
        "Residual blocks inside of block structure can be deleted.",
        "figure 5",
        "accuracy lost per removed residual block, in percentage points",
        "Student's t-test of the difference. Blocks are removed from the end of each stage. A removal counts if the "
        f"removals before it cost at most 5 percentage points. {PLACE}",
        MEAN_OF_SEED,
        deletion,
    ),
    Definition(
        "errors",
        "Deep and wide networks of equal accuracy make different errors.",
        "figure 7",
        "mean squared difference of the accuracy of an image over seeds, beyond a uniform difference in skill, times "
        "1,000",
        "One-sided permutation test. The architectures are the deep and the wide one with the most similar accuracy, "
        "by every second seed; the other seeds are tested. Their accuracy is equal if two one-sided tests with Welch's "
        f"error place the difference within {100 * EQUAL:g} percentage point on every part of the data; the 90 % "
        "intervals of these tests are given.",
        "a seed of an architecture, with its networks on all parts of the data. The two architectures exchange seeds.",
        errors,
    ),
)
