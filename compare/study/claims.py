"""The paper's claims, each with the test that would show it, and the verdict on the networks of a study."""

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

# Of tests that compare layers of one network with others of it.
PLACE = "Where in the network block structure lies may have a part in it."
SCORE = "block structure score, from 0, none, to 1"
SIZES = (
    "Jonckheere-Terpstra test over the networks trained on the largest part of the data, by permutation; the effect is "
    "the share of pairs of networks in which the {0} one has more of it, less the share in which the {0} one has less."
)


@dataclass(frozen=True)
class Definition:
    """A claim as the paper makes it, and how it is measured here; fields as of `Claim`."""

    key: str
    statement: str
    source: str
    quantity: str
    test: str
    measure: Callable[[Study], Measured]


def judge(study: Study) -> tuple[Claim, ...]:
    """All claims, in the paper's order, with p-values that are corrected for being several."""
    measured = [_measurable(definition.measure(study)) for definition in CLAIMS]
    p_values = np.array([found.tested.p_value for found in measured if found.tested], dtype=np.float64)
    adjusted = iter(holm(p_values).tolist())
    return tuple(
        _claim(definition, found, next(adjusted) if found.tested else None)
        for definition, found in zip(CLAIMS, measured, strict=True)
    )


def _measurable(found: Measured) -> Measured:
    """Nothing is tested where the test could not show anything."""
    if found.tested is None or found.tested.least < LEVEL:
        return found
    least = f"{found.tested.least:.2g}"
    return replace(found, tested=None, reason=f"so few networks cannot give a p-value below {least}.")


def _claim(definition: Definition, found: Measured, adjusted: float | None) -> Claim:
    tested = found.tested
    return Claim(
        key=definition.key,
        statement=definition.statement,
        source=definition.source,
        verdict=(
            "not measurable"
            if tested is None or adjusted is None
            else "not shown"
            if adjusted >= LEVEL or found.reason
            else "shown"
            if tested.effect > 0
            else "opposite"
        ),
        reason=found.reason,
        quantity=definition.quantity,
        test=definition.test,
        effect=found.effect or (Estimate(tested.effect, None, None) if tested else NOTHING),
        p_value=tested.p_value if tested else None,
        p_adjusted=adjusted,
        remark=found.remark,
        readings=found.readings,
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
        "With less data, it appears at smaller size.",
        "figures 2 and D.2",
        SCORE,
        "Jonckheere-Terpstra test over parts of the data, by permutation within each architecture; the effect is the "
        "share of pairs of networks in which the one with less data has more of it, less that in which it has less.",
        less_data,
    ),
    Definition(
        "component",
        "The first principal component carries it.",
        "figures 3 and D.5 to D.7",
        "CKA between layers of one block structure, with and without each layer's first component",
        f"Student's test, a network being a unit; the effect is by how much CKA without it is below {THRESHOLD}, from "
        "which layers count as alike.",
        component,
    ),
    Definition(
        "seeds",
        "It is unique to each seed, while layers outside of it agree.",
        "figure 6",
        "CKA of the same layer between seeds",
        f"Student's test of the difference, an architecture on a part of the data being a unit. {PLACE}",
        seeds,
    ),
    Definition(
        "architectures",
        "Layers outside of it agree across architectures.",
        "figure E.1",
        "CKA at the same relative depth, between architectures of different seeds",
        "Student's test of the difference, a unit being an assignment of seeds to architectures on a part of the data: "
        f"no two that are compared share a seed, from which equal layers would begin with equal weights. {PLACE}",
        architectures,
    ),
    Definition(
        "probes",
        "Linear probes stay flat inside of it.",
        "figure 4",
        "accuracy that a probe gains per residual block, in points",
        f"Student's test of the difference, a network being a unit. {PLACE}",
        probes,
    ),
    Definition(
        "deletion",
        "Residual blocks inside of it can be deleted.",
        "figure 5",
        "accuracy lost per residual block removed, in points",
        "Student's test of the difference, a network being a unit. Blocks are removed from the end of each stage, and "
        f"count as long as those removed before cost no more than 5 points. {PLACE}",
        deletion,
    ),
    Definition(
        "errors",
        "Deep and wide networks of equal accuracy make different errors.",
        "figure 7",
        "mean squared difference of the accuracies of an image over seeds, times 1,000",
        "One-sided permutation of networks between the two architectures, within each part of the data. Of all deep "
        "and wide ones, the two are those of the most similar accuracy, which is equal if two one-sided tests put the "
        f"difference within {100 * EQUAL:g} point on every part; the interval that is told is the 90 % one of these.",
        errors,
    ),
)
