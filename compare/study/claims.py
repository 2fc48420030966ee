"""The claims of the paper, their tests, and the verdict of a study on each."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from compare.result.base import NOTHING, Estimate
from compare.result.study import Claim
from compare.stats.paired import LEVEL, holm
from compare.structure.spans import THRESHOLD
from compare.study.claim_tests import (
    EQUAL,
    Measured,
    along,
    architectures,
    component,
    deletion,
    errors,
    less_data,
    probes,
    seeds,
)
from compare.study.networks import Study

# A confounder of all tests that compare layers inside and outside of block structure.
PLACE = "The position of block structure in the network may contribute to the difference."
SCORE = "block structure score, from 0 (none) to 1"
SIZES = (
    "Jonckheere-Terpstra permutation test over the networks trained on the largest part of the data. The effect is the "
    "share of pairs of networks in which the {0} one has a higher score, minus the share in which it has a lower one."
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
        measure: function that runs the test on a study.
    """

    key: str
    statement: str
    source: str
    quantity: str
    test: str
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
    """Discard a test that cannot reach significance with so few networks."""
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
        verdict=(
            "not measurable"
            if tested is None or adjusted is None
            else "not shown"
            if adjusted >= LEVEL or result.reason
            else "shown"
            if tested.effect > 0
            else "opposite"
        ),
        reason=result.reason,
        quantity=definition.quantity,
        test=definition.test,
        effect=result.effect or (Estimate(tested.effect, None, None) if tested else NOTHING),
        p_value=tested.p_value if tested else None,
        p_adjusted=adjusted,
        remark=result.remark,
        readings=result.readings,
    )


CLAIMS = (
    Definition(
        "depth",
        "Block structure appears with depth.",
        "figure 1",
        SCORE,
        SIZES.format("deeper"),
        along(Study.depths, "depth"),
    ),
    Definition(
        "width",
        "Block structure appears with width.",
        "figure 1",
        SCORE,
        SIZES.format("wider"),
        along(Study.widths, "width"),
    ),
    Definition(
        "less-data",
        "With less data, block structure appears in smaller networks.",
        "figures 2 and D.2",
        SCORE,
        "Jonckheere-Terpstra permutation test over parts of the data, within each architecture. The effect is the "
        "share of pairs of networks in which the one with less data has a higher score, minus the share in which it "
        "has a lower one.",
        less_data,
    ),
    Definition(
        "component",
        "The first principal component causes block structure.",
        "figures 3 and D.5 to D.7",
        "CKA between layers of one block structure, with and without each layer's first component",
        f"Student's t-test over networks. The effect is {THRESHOLD}, above which layers count as similar, minus CKA "
        "without the first component.",
        component,
    ),
    Definition(
        "seeds",
        "Block structure is unique to each seed, while layers outside of it are similar.",
        "figure 6",
        "CKA of the same layer between seeds",
        f"Student's t-test of the difference. The unit is an architecture on a part of the data. {PLACE}",
        seeds,
    ),
    Definition(
        "architectures",
        "Layers outside of block structure are similar across architectures.",
        "figure E.1",
        "CKA at the same relative depth, between architectures of different seeds",
        "Student's t-test of the difference. The unit is an assignment of seeds to architectures on a part of the "
        "data. Networks with the same seed are not compared, because layers of equal shape start from the same "
        f"weights. {PLACE}",
        architectures,
    ),
    Definition(
        "probes",
        "Linear probes do not improve inside of block structure.",
        "figure 4",
        "accuracy gain of a linear probe per residual block, in percentage points",
        f"Student's t-test of the difference over networks. {PLACE}",
        probes,
    ),
    Definition(
        "deletion",
        "Residual blocks inside of block structure can be deleted.",
        "figure 5",
        "accuracy lost per removed residual block, in percentage points",
        "Student's t-test of the difference over networks. Blocks are removed from the end of each stage. A removal "
        f"counts if the removals before it cost at most 5 percentage points. {PLACE}",
        deletion,
    ),
    Definition(
        "errors",
        "Deep and wide networks of equal accuracy make different errors.",
        "figure 7",
        "mean squared difference of the accuracy of an image over seeds, beyond a uniform difference in skill, times "
        "1,000",
        "One-sided permutation test, exchanging networks between the two architectures within each part of the data. "
        "The architectures are the deep and the wide one with the most similar accuracy. Their accuracy is equal if "
        f"two one-sided tests place the difference within {100 * EQUAL:g} percentage point on every part; the 90 % "
        "interval of these tests is given.",
        errors,
    ),
)
