"""Tests of the claims on a study: effect, p-value, and the measurements behind them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from compare.result.base import Estimate
from compare.result.study import Contrast, ErrorStratum, Network, Reading
from compare.stats.units import FEWEST_UNITS, Tested, differs_from_zero, mean_of_units, trend
from compare.structure.spans import THRESHOLD
from compare.study.networks import Study, part_name

# Accuracies that differ by less than this fraction count as equal.
EQUAL = 0.01
SAME = "all differences are equal, so a t-test is impossible."
INSIDE, OUTSIDE = "in block structure", "outside of it"


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
        tested = trend([[[net.score for net in networks] for networks in sizes.values()]])
        reason = "" if tested else f"it needs at least two {size}s."
        return Measured(tested, readings, _how_many(sizes), reason)

    return measure


def _how_many(sizes: Mapping[str, list[Network]]) -> str:
    counts = (f"{_with_blocks(networks)} of {len(networks)} at {name}" for name, networks in sizes.items())
    return f"Networks with block structure: {', '.join(counts)}."


def _with_blocks(networks: Sequence[Network]) -> int:
    return sum(net.blocks > 0 for net in networks)


def less_data(study: Study) -> Measured:
    """Test whether the score of the same architecture rises with less data."""
    strata = [
        [[net.score for net in study.of(*architecture, subset)] for subset in study.subsets]
        for architecture in study.architectures
    ]
    readings = tuple(
        _reading("", part_name(subset), [net.score for net in study.networks if net.subset == subset])
        for subset in study.subsets
    )
    tested = trend(strata)
    remark = " ".join(
        f"Smallest {size} at which most networks have block structure: {_firsts(study, series)}."
        for size, series in (("depth", Study.depths), ("width", Study.widths))
    )
    return Measured(tested, readings, remark, "" if tested else "it needs at least two parts of the data.")


def _firsts(study: Study, series: Callable[[Study, str], Mapping[str, list[Network]]]) -> str:
    return ", ".join(f"{_first(series(study, subset))} with {part_name(subset)}" for subset in study.subsets)


def _first(sizes: Mapping[str, list[Network]]) -> str:
    with_blocks = (name for name, networks in sizes.items() if 2 * _with_blocks(networks) > len(networks))
    return next(with_blocks, "none").split()[-1]


def _contrast(units: Sequence[Contrast], unit: str, scale: float = 1.0, claimed: int = 1) -> Measured:
    """Test whether values inside of block structure are higher (claimed = 1) or lower (-1) than outside."""
    pairs = [
        (scale * each.inside, scale * each.outside)
        for each in units
        if each.inside is not None and each.outside is not None
    ]
    readings = tuple(
        _reading("", label, values) for label, values in zip((INSIDE, OUTSIDE), zip(*pairs, strict=True), strict=False)
    )
    differences = [claimed * (inside - outside) for inside, outside in pairs]
    tested = differs_from_zero(differences)
    remark = f"Over {len(pairs)} {unit}." if pairs else ""
    if tested is not None:
        return Measured(tested, readings, remark, effect=mean_of_units(differences))
    reason = SAME
    if len(pairs) < FEWEST_UNITS:
        reason = f"it needs {FEWEST_UNITS} {unit} with layers in block structure and outside of it, got {len(pairs)}."
    return Measured(None, readings, remark, reason)


def component(study: Study) -> Measured:
    """Test whether layers in block structure are no longer similar without their first component."""
    holders = [net for net in study.networks if net.block_cka is not None and net.block_cka_without is not None]
    left = [net.block_cka_without or 0.0 for net in holders]
    readings = (
        _reading("", "with it", [net.block_cka or 0.0 for net in holders]),
        _reading("", "without it", left),
    )
    falls = [THRESHOLD - value for value in left]
    tested, effect = differs_from_zero(falls), mean_of_units(falls)
    if tested is None:
        few = f"it needs {FEWEST_UNITS} networks with block structure, got {len(holders)}."
        reason = few if len(holders) < FEWEST_UNITS else SAME
        return Measured(None, readings if holders else (), reason=reason)
    blocks, surviving = sum(net.blocks for net in holders), sum(net.surviving for net in holders)
    remark = (
        f"Over {len(holders)} networks. {blocks - surviving} of their {blocks} block structures disappear without it. "
        f"It has {_share(holders)} of a layer's variance; this is not a test, because it defines block structure."
    )
    return Measured(tested, readings, remark, effect=effect)


def _share(holders: Sequence[Network]) -> str:
    """Share of variance on the first component, such as `43% in block structure and 23% outside of it`."""
    sides = (
        ([net.pc1_fraction.inside for net in holders], INSIDE),
        ([net.pc1_fraction.outside for net in holders], OUTSIDE),
    )
    means = ((mean_of_units([value for value in values if value is not None]).value, where) for values, where in sides)
    return " and ".join(f"{mean:.0%} {where}" for mean, where in means if mean is not None)


def seeds(study: Study) -> Measured:
    """Test whether layers in block structure are less similar between seeds than layers outside of it."""
    units = [each.cka for each in study.agreements if each.between == "seeds"]
    return _contrast(units, "architectures on a part of the data", claimed=-1)


def architectures(study: Study) -> Measured:
    """Test whether layers in block structure are less similar between architectures than layers outside of it."""
    units = [each.cka for each in study.agreements if each.between == "architectures"]
    return _contrast(units, "seeds on a part of the data", claimed=-1)


def probes(study: Study) -> Measured:
    """Test whether linear probes gain less per residual block in block structure than outside of it."""
    return _contrast([net.probe_gain for net in study.networks], "networks", 100, claimed=-1)


def deletion(study: Study) -> Measured:
    """Test whether deleting residual blocks in block structure costs less accuracy than outside of it."""
    return _contrast([net.deletion_cost for net in study.networks], "networks", 100, claimed=-1)


def errors(study: Study) -> Measured:
    """Test whether a deep and a wide architecture of equal accuracy make different errors."""
    pair = study.errors
    if pair is None:
        return Measured(None, reason="it needs at least two seeds of a deeper and of a wider architecture.")
    readings = tuple(
        Reading(part_name(row.subset), label, Estimate(1000 * value, None, None), (1000 * value,))
        for row in pair.strata
        for label, value in (("deep and wide", row.mean_square), ("random assignment", row.null_mean))
    )
    effect = sum(row.mean_square - row.null_mean for row in pair.strata) / len(pair.strata)
    remark = f"{pair.deep}, and {pair.wide}: accuracies differ by {'; '.join(map(_difference, pair.strata))}."
    reason = (
        ""
        if all(map(_equal, pair.strata))
        else f"accuracies are not shown to be equal within {100 * EQUAL:g} percentage point."
    )
    return Measured(Tested(1000 * effect, pair.p_value, pair.least), readings, remark, reason)


def _difference(row: ErrorStratum) -> str:
    """Difference in accuracy, in percentage points."""
    ends = "" if row.low is None or row.high is None else f" ({100 * row.low:+.1f} to {100 * row.high:+.1f})"
    return f"{100 * row.difference:+.1f} points{ends} with {part_name(row.subset)}"


def _equal(row: ErrorStratum) -> bool:
    return row.low is not None and row.high is not None and max(abs(row.low), abs(row.high)) <= EQUAL


def _reading(series: str, label: str, values: Sequence[float]) -> Reading:
    return Reading(series, label, mean_of_units(values), tuple(values))
