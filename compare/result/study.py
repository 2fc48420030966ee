"""What a study of many networks shows of the paper's claims: plain frozen values, to JSON and back. Needs no torch."""

from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, Estimate, JsonResult, Matrix, Settings
from compare.result.models import DatasetResult

Verdict = Literal["shown", "not shown", "opposite", "not measurable"]


@dataclass(frozen=True)
class Contrast:
    """One number within block structure and outside of it, of one network or one set of networks.

    Args:
        inside: None where there is no block structure, or nothing to measure in it.
        outside: None where there is nothing outside of it.
    """

    inside: float | None
    outside: float | None


@dataclass(frozen=True)
class Network:
    """One network of the study, reduced to the numbers that the claims are about.

    Args:
        name: of its model.
        depth: weighted layers.
        width: multiplier of the filters.
        subset: fraction of the training images, such as `1/4`.
        seed: of its training.
        accuracy: fraction of the test examples that it gets right.
        score: block structure score, in [0, 1]; see `compare.structure.spans.block_score`.
        blocks: how many block structures it has.
        surviving: of these, how many still count as alike without their first component.
        pc1_fraction: mean share of variance on a layer's first principal component, in [0, 1].
        block_cka: mean CKA over pairs of layers of one block structure; None without any, like the next.
        block_cka_without: the same after each layer has lost its first component.
        probe_gain: accuracy that a linear probe gains per residual block.
        deletion_cost: accuracy lost by the removal of one more residual block, of those whose removal was tried while
            the network still worked.
    """

    name: str
    depth: int
    width: float
    subset: str
    seed: int
    accuracy: float
    score: float
    blocks: int
    surviving: int
    pc1_fraction: Contrast
    block_cka: float | None
    block_cka_without: float | None
    probe_gain: Contrast
    deletion_cost: Contrast


@dataclass(frozen=True)
class Agreement:
    """How alike layers of different networks at the same relative depth are.

    Args:
        networks: which: one architecture, or the seeds in an order.
        subset: fraction of the training images of all of them.
        between: what differs between two of them.
        cka: mean over layers that lie in block structure of either network, and over those that lie in none.
    """

    networks: str
    subset: str
    between: Literal["seeds", "architectures"]
    cka: Contrast


@dataclass(frozen=True)
class ErrorStratum:
    """A deep and a wide architecture, trained on the same part of the data.

    Args:
        subset: fraction of the training images.
        difference: accuracy of the deep minus accuracy of the wide one, means over seeds, in [-1, 1].
        low: lower end of its 90 % interval, which decides at the 5 % level whether the accuracies are equal.
        high: upper end.
        mean_square: mean over examples of the squared difference of their accuracies over seeds.
        null_mean: the same where the networks are dealt to the two architectures anew.
    """

    subset: str
    difference: float
    low: float | None
    high: float | None
    mean_square: float
    null_mean: float


@dataclass(frozen=True)
class Errors:
    """Whether a deep and a wide architecture of like accuracy get different examples right.

    Args:
        deep: the deep architecture, such as `depth 74, width 1`.
        wide: the wide one.
        strata: one per part of the data.
        p_value: of a spread as large, if the networks are dealt anew within each stratum.
        least: the smallest p-value that so many networks can give.
    """

    deep: str
    wide: str
    strata: tuple[ErrorStratum, ...]
    p_value: float
    least: float


@dataclass(frozen=True)
class Reading:
    """One number that was measured for a claim: a mean over independent units.

    Args:
        series: which numbers belong together, such as `all data`.
        label: what it is of, such as `depth 74`.
        mean: with its 95 % interval (Student); without ends for a single unit.
        units: the value of each unit.
    """

    series: str
    label: str
    mean: Estimate
    units: tuple[float, ...]


@dataclass(frozen=True)
class Claim:
    """One claim of the paper beside what was measured.

    Args:
        key: short name.
        statement: the claim.
        source: where the paper makes it.
        verdict: `shown` or `opposite` by the sign of the effect if p_adjusted is below 0.05.
        reason: why it is not shown or cannot be measured, where the p-value alone does not say so.
        quantity: what the numbers are.
        test: how it was decided.
        effect: what was tested, above 0 as the claim has it: a rank correlation in [-1, 1], or a mean difference with
            its 95 % interval.
        p_value: two-sided, of the errors one-sided; None if nothing could be tested.
        p_adjusted: after Holm's correction over all claims that could be tested.
        remark: the numbers in a sentence.
        readings: the numbers.
    """

    key: str
    statement: str
    source: str
    verdict: Verdict
    reason: str
    quantity: str
    test: str
    effect: Estimate
    p_value: float | None
    p_adjusted: float | None
    remark: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class Heatmap:
    """CKA of the layers of one network, coarse enough to look at many.

    Args:
        depth: of the network.
        width: of the network.
        subset: fraction of its training images.
        seed: of its training.
        cka: mean over neighbouring layers; from the first to the last.
        blocks: first and last relative depth of each block structure, in [0, 1].
    """

    depth: int
    width: float
    subset: str
    seed: int
    cka: Matrix
    blocks: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Reproduction(JsonResult):
    """The paper's claims beside what networks of a study show.

    Args:
        format_version: version of this layout.
        kind: distinguishes this JSON from that of the other results.
        dataset: the examples they saw.
        claims: in the paper's order.
        networks: all of the study.
        agreements: between networks.
        errors: of a deep and a wide architecture; None if there are no two, or fewer than two seeds.
        heatmaps: of the first seed of each architecture and part of the data.
        settings: how it was computed, enough to do it again.
        versions: of the program and the libraries.
        notes: what a reader must know.
    """

    format_version: int = FORMAT_VERSION
    kind: Literal["reproduction"] = "reproduction"
    dataset: DatasetResult
    claims: tuple[Claim, ...]
    networks: tuple[Network, ...]
    agreements: tuple[Agreement, ...]
    errors: Errors | None
    heatmaps: tuple[Heatmap, ...]
    settings: Settings
    versions: dict[str, str]
    notes: tuple[str, ...]
