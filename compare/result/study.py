"""Result of testing the paper's claims on a grid of networks. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, Estimate, JsonResult, Matrix, Settings
from compare.result.checks import check_fraction, check_shape
from compare.result.models import DatasetResult

Verdict = Literal["shown", "not shown", "opposite", "not measurable"]


@dataclass(frozen=True)
class Contrast:
    """A number measured inside and outside of block structure.

    Args:
        inside: value inside of block structure; None if there is none, or nothing to measure in it.
        outside: value outside of block structure; None if there is nothing to measure outside of it.
    """

    inside: float | None
    outside: float | None


UNKNOWN = Contrast(None, None)


@dataclass(frozen=True)
class Network:
    """The numbers of one network that the claims need.

    Args:
        name: name of the model.
        depth: number of weighted layers.
        width: width multiplier.
        subset: fraction of the training images, such as `1/4`.
        seed: training seed.
        accuracy: test accuracy, in [0, 1].
        score: block structure score, in [0, 1]; see `compare.structure.spans.block_score`.
        blocks: number of block structures.
        pc1_fraction: mean fraction of a layer's variance on its first principal component, in [0, 1].
        block_cka: mean CKA over pairs of layers of the same block structure; None without block structure.
        block_cka_without: `block_cka` after removing each layer's first component; None without block structure.
        probe_gain: accuracy gain of a linear probe per residual block, as a fraction.
        deletion_cost: accuracy lost per removed residual block, as a fraction, while the network still works.
        pc1_share: share of CKA that the first components of both layers make, over pairs of layers in the same block
            structure, and over pairs outside of it at equal distances in layers. None, like the rest, in older files.
        map_correlation: correlation of CKA with the squared cosine of first components, over pairs of layers with at
            least one in block structure (inside), and over all other pairs (outside).
        block_contrast: how much block structure stands out: mean CKA within it minus that across its borders, at the
            same distance in layers; see `compare.structure.contrast.border_contrast`. None without borders.
        block_contrast_without: the same of the same layers after removing each layer's first component.
    """

    name: str
    depth: int
    width: float
    subset: str
    seed: int
    accuracy: float
    score: float
    blocks: int
    pc1_fraction: Contrast
    block_cka: float | None
    block_cka_without: float | None
    probe_gain: Contrast
    deletion_cost: Contrast
    pc1_share: Contrast = UNKNOWN
    map_correlation: Contrast = UNKNOWN
    block_contrast: float | None = None
    block_contrast_without: float | None = None


@dataclass(frozen=True)
class Agreement:
    """CKA of layers of networks of two seeds.

    Args:
        networks: the networks: one architecture, or different architectures.
        subset: fraction of the training images of these networks.
        between: what differs between two networks: their seeds, or their architectures as well.
        cka: mean CKA over layers that are in block structure of either network (inside), and over layers that are in
            neither (outside). Between seeds, of the same layer; between architectures, of each layer with the most
            similar layer of the same stage. Older files have layers at the same relative depth.
        seeds: the two seeds. Empty in older files, whose values are means over several pairs of seeds.
    """

    networks: str
    subset: str
    between: Literal["seeds", "architectures"]
    cka: Contrast
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class ErrorStratum:
    """Errors of a deep and a wide architecture that were trained on the same part of the data.

    Args:
        subset: fraction of the training images.
        difference: mean accuracy of the deep architecture minus that of the wide one, in [-1, 1].
        low: lower end of the 90 % interval of `difference` (Welch), which tests equal accuracy at the 5 % level.
        high: upper end of the 90 % interval of `difference`.
        mean_square: mean over examples of the squared difference of their accuracies over seeds, after removing a
            uniform difference in skill; see `compare.groups.spread.within_totals`.
        null_mean: mean of `mean_square` over permutations of the networks.
    """

    subset: str
    difference: float
    low: float | None
    high: float | None
    mean_square: float
    null_mean: float


@dataclass(frozen=True)
class Errors:
    """Whether a deep and a wide architecture of similar accuracy get different examples right.

    Args:
        deep: name of the deep architecture, such as `depth 74, width 1`.
        wide: name of the wide architecture.
        strata: one entry per part of the data.
        p_value: one-sided permutation test of the sum of `mean_square` over strata, exchanging seeds between the
            architectures in all strata at once.
        least: smallest p-value possible with this number of seeds.
        seeds: number of seeds of the deep and of the wide architecture in the test. They took no part in the selection
            of the architectures. Empty in older files, like `power`.
        power: probability that equal accuracies would be shown to be equal on all strata, by simulation with the
            variances of these seeds.
    """

    deep: str
    wide: str
    strata: tuple[ErrorStratum, ...]
    p_value: float
    least: float
    seeds: tuple[int, ...] = ()
    power: float | None = None


@dataclass(frozen=True)
class Reading:
    """One measurement for a claim: a mean over independent units.

    Args:
        series: name of the series in a plot, such as `all data`; may be empty.
        label: name of the point in its series, such as `depth 74`.
        mean: mean over the units, with 95 % interval (Student); no interval for a single unit.
        units: value of each unit.
    """

    series: str
    label: str
    mean: Estimate
    units: tuple[float, ...]


@dataclass(frozen=True)
class Claim:
    """One claim of the paper, and the evidence for it.

    Args:
        key: short name of the claim.
        statement: the claim as a sentence.
        source: section or figure of the paper.
        verdict: `shown` or `opposite`, by the sign of the effect, if `p_adjusted` is below 0.05; otherwise `not shown`
            or `not measurable`.
        reason: why the claim is not shown or cannot be measured, if the p-value alone does not explain it.
        quantity: description of the measured quantity, with its unit.
        test: description of the statistical test.
        effect: effect size, positive in the direction of the claim: a rank correlation in [-1, 1], or a mean difference
            with its 95 % interval.
        p_value: two-sided p-value (one-sided for the claim about errors); None if nothing could be tested.
        p_adjusted: p-value with Holm's correction over all tested claims.
        remark: the main numbers in a sentence.
        readings: the measurements.
        unit: what counts as one independent unit of the test. Empty in older files.

    Example:
        >>> import compare
        >>> effect = compare.Estimate(0.8, None, None)
        >>> claim = compare.Claim(
        ...     key="depth",
        ...     statement="Block structure appears with depth.",
        ...     source="figure 1",
        ...     verdict="shown",
        ...     reason="",
        ...     quantity="block structure score",
        ...     test="Jonckheere-Terpstra test",
        ...     effect=effect,
        ...     p_value=0.0009,
        ...     p_adjusted=0.0054,
        ...     remark="",
        ...     readings=(),
        ... )
        >>> claim.verdict, claim.effect.value
        ('shown', 0.8)
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
    unit: str = ""


@dataclass(frozen=True)
class Power:
    """The power of a study for one claim.

    Args:
        key: short name of the claim.
        statement: the claim as a sentence.
        assumption: the effect and the spread that are assumed.
        power: probability that a study of this size shows the claim if the assumption is true, in [0, 1].
    """

    key: str
    statement: str
    assumption: str
    power: float


@dataclass(frozen=True)
class Heatmap:
    """A coarse heatmap of CKA within one network.

    Args:
        depth: number of weighted layers of the network.
        width: width multiplier of the network.
        subset: fraction of the training images.
        seed: training seed.
        cka: CKA averaged over neighbouring layers, from the first layer to the last.
        blocks: relative depth of the start and end of each block structure, in [0, 1].
    """

    depth: int
    width: float
    subset: str
    seed: int
    cka: Matrix
    blocks: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class Reproduction(JsonResult):
    """The paper's claims, tested on a grid of networks.

    Args:
        format_version: version of the JSON format.
        kind: always `reproduction`.
        dataset: the examples that all networks saw.
        claims: all claims, in the order of the paper.
        networks: all networks of the study.
        agreements: CKA between networks.
        errors: errors of a deep and a wide architecture; None if the study has no such pair, or fewer than two seeds.
        heatmaps: CKA within the first seed of each architecture on each part of the data.
        settings: all settings needed to reproduce the result.
        versions: versions of this package, Python, and the libraries it uses.
        notes: warnings about single networks and about the tests.
        power: how likely a study of this size is to show each claim; empty in older files.

    Example:
        >>> import compare
        >>> result = compare.Reproduction(
        ...     dataset=compare.DatasetResult(None, None, 360, ("cat", "dog"), None),
        ...     claims=(),
        ...     networks=(),
        ...     agreements=(),
        ...     errors=None,
        ...     heatmaps=(),
        ...     settings={},
        ...     versions={},
        ...     notes=(),
        ... )
        >>> compare.Reproduction.from_json(result.to_json()) == result
        True
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
    power: tuple[Power, ...] = ()

    def _problems(self) -> Iterator[str]:
        for net in self.networks:
            yield from check_fraction(f"the subset of {net.name}", net.subset)
        for heatmap in self.heatmaps:
            yield from check_shape("a heatmap", heatmap.cka, len(heatmap.cka), len(heatmap.cka))
