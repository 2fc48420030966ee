"""Tests of the claims on a study: effect, p-value, and the measurements behind them. The unit of all is the seed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from compare.result.base import Estimate
from compare.result.study import Contrast, ErrorStratum, Network, Reading
from compare.stats.units import FEWEST_UNITS, Tested, differs_from_zero, mean_of_units, trend, values_of_units
from compare.study.deep_and_wide import EQUAL
from compare.study.networks import Study, part_name

Floats = npt.NDArray[np.float64]
SAME = "all differences are equal, so a t-test is impossible."
INSIDE, OUTSIDE = "in block structure", "outside of it"
# Power below which a test of equal accuracy says nothing.
LEAST_POWER = 0.5


@dataclass(frozen=True)
class Measured:
    """Result of testing a claim.

    Args:
        tested: effect and p-value; None if the claim cannot be tested.
        readings: the measurements.
        remark: the main numbers in a sentence.
        reason: why the claim cannot be tested, or why it is not shown in spite of its p-value.
        effect: effect with its 95 % interval, for tests that have one.
    """

    tested: Tested | None
    readings: tuple[Reading, ...] = ()
    remark: str = ""
    reason: str = ""
    effect: Estimate | None = None


def along(series: Callable[[Study, str], Mapping[str, list[Network]]], size: str) -> Callable[[Study], Measured]:
    """Create the test of whether the score rises with depth or width, on the largest part of the data.

    Args:
        series: `Study.depths` or `Study.widths`.
        size: `depth` or `width`.
    """

    def measure(study: Study) -> Measured:
        readings = tuple(
            _reading(part_name(subset), name, [net.score for net in networks])
            for subset in study.subsets
            for name, networks in series(study, subset).items()
        )
        sizes = series(study, study.subsets[0])
        tested = trend(np.array([_scores(study, list(sizes.values()))]), permutations=study.permutations)
        largest = [reading for reading in readings if reading.series == part_name(study.subsets[0])]
        return Measured(tested, readings, _means(largest, "at"), "" if tested else f"it needs at least two {size}s.")

    return measure


def less_data(study: Study) -> Measured:
    """Test whether the score of the same architecture rises with less data."""
    parts = [[study.of(*architecture, subset) for subset in study.subsets] for architecture in study.architectures]
    scores = _complete(np.array([_scores(study, groups) for groups in parts]))
    tested = trend(scores, permutations=study.permutations)
    readings = tuple(
        _reading(
            "", part_name(subset), _by_seed((place[1], score) for place, score in np.ndenumerate(scores[:, :, part]))
        )
        for part, subset in enumerate(study.subsets)
    )
    return Measured(
        tested, readings, _means(readings, "with"), "" if tested else "it needs at least two parts of the data."
    )


def _scores(study: Study, groups: Sequence[Sequence[Network]]) -> list[list[float]]:
    """Scores by seed and group, NaN where there is no network: shape (seeds, groups)."""
    scores = [{net.seed: net.score for net in networks} for networks in groups]
    return [[of_group.get(seed, np.nan) for of_group in scores] for seed in study.seeds]


def _complete(scores: Floats) -> Floats:
    """The scores of architectures and seeds with networks on all parts, if there are any, and NaN for the others.

    A permutation exchanges the parts of a seed in all architectures at once. So with networks on some parts only, few
    scores could be exchanged.

    Args:
        scores: shape (architectures, seeds, parts), NaN where there is no network.
    """
    is_complete = ~np.isnan(scores).any(2, keepdims=True)
    return np.where(is_complete, scores, np.nan) if is_complete.any() else scores


def _means(readings: Sequence[Reading], preposition: str) -> str:
    """A sentence with the means and their intervals, such as `Mean score: 0.10 (0.00 to 0.34) at depth 38.`."""
    means = (f"{_number(reading.mean)} {preposition} {reading.label}" for reading in readings)
    return f"Mean score: {', '.join(means)}."


def _number(estimate: Estimate, form: str = ".2f") -> str:
    ends = "" if estimate.low is None else f" ({estimate.low:{form}} to {estimate.high:{form}})"
    return f"{estimate.value or 0.0:{form}}{ends}"


def _by_seed(values: Iterable[tuple[int, float]]) -> list[float]:
    """Mean value of each seed, by increasing seed, without NaN."""
    groups = defaultdict[int, list[float]](list)
    for seed, value in values:
        if not np.isnan(value):
            groups[seed].append(value)
    return [float(np.mean(groups[seed])) for seed in sorted(groups)]


def _sides(contrasts: Iterable[tuple[int, Contrast]]) -> list[tuple[float, float]]:
    """Means of each seed inside and outside of block structure, over networks that have both."""
    both = [(seed, each.inside, each.outside) for seed, each in contrasts]
    inside = _by_seed((seed, a) for seed, a, b in both if a is not None and b is not None)
    outside = _by_seed((seed, b) for seed, a, b in both if a is not None and b is not None)
    return list(zip(inside, outside, strict=True))


def _contrast(
    seeds: Sequence[tuple[float, float]], needed: str, series: str = "", scale: float = 1.0, claimed: Literal[1, -1] = 1
) -> Measured:
    """Test whether values inside of block structure are higher (claimed = 1) or lower (-1) than outside.

    Args:
        seeds: value inside and outside for each seed.
        needed: what the test needs, for the reason if it is missing.
        series: name of the series of the readings.
        scale: factor of all values.
        claimed: sign of the claimed difference.
    """
    sides = tuple(zip(*seeds, strict=True))
    labelled = zip((INSIDE, OUTSIDE), sides, strict=False)
    readings = tuple(_reading(series, label, [scale * value for value in side]) for label, side in labelled)
    differences = [claimed * scale * (inside - outside) for inside, outside in seeds]
    tested = differs_from_zero(differences)
    if tested is None:
        return Measured(None, readings, reason=SAME if len(seeds) >= FEWEST_UNITS else needed)
    return Measured(tested, readings, f"Over {len(seeds)} seeds.", effect=mean_of_units(differences))


def _of_networks(
    study: Study,
    value: Callable[[Network], Contrast],
    series: str = "",
    scale: float = 1.0,
    claimed: Literal[1, -1] = 1,
) -> Measured:
    seeds = _sides((net.seed, value(net)) for net in study.networks)
    needed = (
        f"it needs networks of {FEWEST_UNITS} seeds with layers in block structure and outside of it, got {len(seeds)}."
    )
    return _contrast(seeds, needed, series, scale, claimed)


def component(study: Study) -> Measured:
    """Test whether CKA in block structure is that of first components, more than outside.

    Two tests must agree: the share of CKA that first components make, and the correlation of CKA with their alignment.
    The p-value is the larger one.
    """
    share = _of_networks(study, lambda net: net.pc1_share, "share of CKA")
    correlation = _of_networks(study, lambda net: net.map_correlation, "correlation of maps")
    if share.tested is None or correlation.tested is None or correlation.effect is None:
        untested = share if share.tested is None else correlation
        return replace(untested, readings=(*share.readings, *correlation.readings))
    agree = share.tested.effect * correlation.tested.effect > 0
    remark = (
        f"{share.remark} The effect is that of the share, which is partly a consequence of how block structure is "
        f"defined. The difference of the correlation is {_number(correlation.effect, '+.2f')}."
    )
    return Measured(
        tested=Tested(share.tested.effect, max(share.tested.p_value, correlation.tested.p_value)),
        readings=(*share.readings, *correlation.readings),
        remark=remark,
        reason="" if agree else "the share and the correlation differ in opposite directions.",
        effect=share.effect,
    )


def removal(study: Study) -> Measured:
    """Test whether more than half of the contrast of block structure disappears with the first component."""
    networks = [net for net in study.networks if None not in (net.block_contrast, net.block_contrast_without)]
    full, rest = (
        _by_seed((net.seed, getattr(net, name) or 0.0) for net in networks)
        for name in ("block_contrast", "block_contrast_without")
    )
    readings = (_reading("", "with it", full), _reading("", "without it", rest)) if networks else ()
    more_than_half = [with_it / 2 - without for with_it, without in zip(full, rest, strict=True)]
    tested = differs_from_zero(more_than_half)
    if tested is None:
        few = f"it needs networks of {FEWEST_UNITS} seeds with block structure that has a border, got {len(full)}."
        return Measured(None, readings, reason=few if len(full) < FEWEST_UNITS else SAME)
    remark = f"Over {len(full)} seeds. The contrast is {np.mean(full):.2f} with it and {np.mean(rest):.2f} without it."
    return Measured(tested, readings, remark, effect=mean_of_units(more_than_half))


def between(kind: Literal["seeds", "architectures"]) -> Callable[[Study], Measured]:
    """Create the test of whether layers in block structure are less similar between networks than others.

    Args:
        kind: what differs between the networks: their seeds, or their architectures as well.
    """

    def measure(study: Study) -> Measured:
        pairs = defaultdict[tuple[int, int], list[tuple[float, float]]](list)
        for each in study.agreements:
            if each.between == kind and each.cka.inside is not None and each.cka.outside is not None:
                first, second = each.seeds
                pairs[first, second].append((each.cka.inside, each.cka.outside))
        means = {seeds: np.mean(values, 0).tolist() for seeds, values in pairs.items()}
        inside, outside = (values_of_units({seeds: mean[side] for seeds, mean in means.items()}) for side in (0, 1))
        needed = (
            f"it needs layers in block structure and outside of it for all pairs of {FEWEST_UNITS} seeds, got "
            f"{len(means)}."
        )
        return _contrast(list(zip(inside, outside, strict=True)), needed, claimed=-1)

    return measure


def probes(study: Study) -> Measured:
    """Test whether linear probes gain less per residual block in block structure than outside of it."""
    return _of_networks(study, lambda net: net.probe_gain, scale=100, claimed=-1)


def deletion(study: Study) -> Measured:
    """Test whether deleting residual blocks in block structure costs less accuracy than outside of it."""
    return _of_networks(study, lambda net: net.deletion_cost, scale=100, claimed=-1)


def errors(study: Study) -> Measured:
    """Test whether a deep and a wide architecture of equal accuracy make different errors."""
    pair = study.errors
    if pair is None:
        return Measured(None, reason="it needs at least three seeds of a deeper and of a wider architecture.")
    readings = tuple(
        Reading(part_name(row.subset), label, Estimate(1000 * value, None, None), (1000 * value,))
        for row in pair.strata
        for label, value in (("deep and wide", row.mean_square), ("random assignment", row.null_mean))
    )
    remark = f"{pair.deep}, and {pair.wide}: accuracies differ by {'; '.join(map(_difference, pair.strata))}."
    if pair.power is not None and pair.power < LEAST_POWER:
        return Measured(
            None, readings, remark, f"even if accuracies are equal, only {pair.power:.0%} of such studies show it."
        )
    effect = sum(row.mean_square - row.null_mean for row in pair.strata) / len(pair.strata)
    is_equal = all(map(_equal, pair.strata))
    reason = "" if is_equal else f"accuracies are not shown to be equal within {100 * EQUAL:g} percentage point."
    return Measured(Tested(1000 * effect, pair.p_value, pair.least), readings, remark, reason)


def _difference(row: ErrorStratum) -> str:
    """Difference in accuracy, in percentage points."""
    ends = "" if row.low is None or row.high is None else f" ({100 * row.low:+.1f} to {100 * row.high:+.1f})"
    return f"{100 * row.difference:+.1f} points{ends} with {part_name(row.subset)}"


def _equal(row: ErrorStratum) -> bool:
    return row.low is not None and row.high is not None and max(-row.low, row.high) <= EQUAL


def _reading(series: str, label: str, values: Sequence[float]) -> Reading:
    return Reading(series, label, mean_of_units(values), tuple(values))
