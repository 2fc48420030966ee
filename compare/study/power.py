"""Power of a study: how often a simulated study of the same networks shows each claim. Needs no torch."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import log2
from typing import Any, Literal, NamedTuple

import numpy as np

from compare.result.study import Agreement, Contrast, Errors, ErrorStratum, Network, Power
from compare.stats.dealing import model_splits
from compare.stats.welch import EQUIVALENCE, equivalence_power, moments, welch
from compare.study.agreement import COMPARED_SEEDS
from compare.study.claims import CLAIMS, judge
from compare.study.deep_and_wide import EQUAL, nearest_in_accuracy
from compare.study.networks import Study

# Standard errors of the power are at most 0.05.
STUDIES = 100
# Enough for p-values well below 0.05 divided by the number of claims.
PERMUTATIONS = 999


class Cell(NamedTuple):
    """A network of the study.

    Attributes:
        depth: number of weighted layers.
        width: width multiplier.
        subset: fraction of the training images.
        seed: training seed.
    """

    depth: int
    width: float
    subset: str
    seed: int


class Sides(NamedTuple):
    """Means inside and outside of block structure, and the standard deviation of each value."""

    inside: float
    outside: float
    deviation: float


@dataclass(frozen=True)
class World:
    """What simulated studies are drawn from. All deviations are between networks of different seeds.

    The defaults are about what was measured on digits, except for `halving` and `contrast_without`, for which nothing
    was found: they stand for the paper's claims.

    Args:
        depths: block structure score at some depths; values between them are interpolated.
        widths: score added at some widths.
        halving: score added by each halving of the training data.
        score_deviation: standard deviation of the score of networks whose mean score is above 0.
        pc1_share: share of CKA that first components make.
        map_correlation: correlation of CKA with the alignment of first components.
        contrast: contrast of block structure.
        contrast_without: contrast without first components.
        contrast_deviation: standard deviation of both contrasts.
        seeds: CKA between seeds.
        architectures: CKA between architectures.
        probe_gain: accuracy gain of a probe per residual block, as a fraction.
        deletion_cost: accuracy lost per removed residual block, as a fraction.
        accuracy_deviation: standard deviation of the accuracy. All networks have the same mean accuracy.
        shared: share of the variance that networks with the same seed have in common.
    """

    depths: tuple[tuple[float, float], ...] = ((14, 0.0), (38, 0.1), (74, 0.28), (110, 0.38))
    widths: tuple[tuple[float, float], ...] = ((2, 0.0), (4, 0.08), (8, 0.16))
    halving: float = 0.05
    score_deviation: float = 0.15
    pc1_share: Sides = Sides(0.77, 0.46, 0.15)
    map_correlation: Sides = Sides(0.93, 0.91, 0.04)
    contrast: float = 0.2
    contrast_without: float = 0.04
    contrast_deviation: float = 0.1
    seeds: Sides = Sides(0.44, 0.77, 0.15)
    architectures: Sides = Sides(0.48, 0.76, 0.1)
    probe_gain: Sides = Sides(0.0, 0.0013, 0.002)
    deletion_cost: Sides = Sides(0.017, 0.083, 0.09)
    accuracy_deviation: float = 0.007
    shared: float = 0.0

    def score(self, cell: Cell) -> float:
        """Mean block structure score of a network."""
        depth, width = (
            float(np.interp(size, [x for x, _ in curve], [y for _, y in curve]))
            for size, curve in ((cell.depth, self.depths), (cell.width, self.widths))
        )
        return depth + width - self.halving * log2(Fraction(cell.subset))


def powers(cells: Sequence[Cell], base_depth: int, base_width: float, world: World | None = None) -> tuple[Power, ...]:
    """Simulate the power of a study for each claim.

    Args:
        cells: the networks of the study.
        base_depth: depth of the networks whose width varies.
        base_width: width of the networks whose depth varies.
        world: what to draw from; the defaults of `World` if None.

    Returns:
        For each claim, the share of simulated studies that show it, after Holm's correction over all claims.
    """
    world = world or World()
    studies = [simulated_study(cells, base_depth, base_width, world, seed) for seed in range(STUDIES)]
    shown = np.mean([[claim.verdict == "shown" for claim in judge(study)] for study in studies], 0)
    assumptions = _assumptions(world)
    return tuple(
        Power(definition.key, definition.statement, assumptions[definition.key], float(share))
        for definition, share in zip(CLAIMS, shown, strict=True)
    )


def _assumptions(world: World) -> dict[str, str]:
    """What is assumed for each claim."""

    def curve(points: Sequence[tuple[float, float]]) -> str:
        return ", ".join(f"{score:g} at {size:g}" for size, score in points)

    def sides(values: Sides, form: str = ".2f", scale: float = 1.0) -> str:
        inside, outside, deviation = (f"{scale * value:{form}}" for value in values)
        return f"{inside} inside, {outside} outside, SD {deviation}"

    return {
        "depth": f"score {curve(world.depths)}, SD {world.score_deviation:g}",
        "width": f"score {curve(world.widths)}, SD {world.score_deviation:g}",
        "less-data": f"score +{world.halving:g} with half the data, SD {world.score_deviation:g}",
        "component": f"share {sides(world.pc1_share)}; correlation {sides(world.map_correlation)}",
        "removal": f"contrast {world.contrast:g}, without {world.contrast_without:g}, SD {world.contrast_deviation:g}",
        "seeds": sides(world.seeds),
        "architectures": sides(world.architectures),
        "probes": f"points: {sides(world.probe_gain, scale=100)}",
        "deletion": f"points: {sides(world.deletion_cost, '.1f', 100)}",
        "errors": f"equal accuracy, SD {100 * world.accuracy_deviation:g} points; errors clearly different",
    }


class _Draw:
    """Random values of one study. Networks of the same seed share some of them."""

    def __init__(self, world: World, seeds: Sequence[int], random: np.random.Generator) -> None:
        self._random, self._shared = random, world.shared
        self._of_seed = {seed: random.standard_normal() for seed in seeds}

    def value(self, mean: float, deviation: float, *seeds: int) -> float:
        """A value of a network, or of a pair of networks, given its seeds."""
        common = sum(self._of_seed[seed] for seed in seeds) / len(seeds) ** 0.5
        noise = self._random.standard_normal()
        return float(mean + deviation * (self._shared**0.5 * common + (1 - self._shared) ** 0.5 * noise))

    def contrast(self, sides: Sides, *seeds: int) -> Contrast:
        """Values inside and outside of block structure. What seeds share affects their difference."""
        return Contrast(
            self.value(sides.inside, sides.deviation, *seeds), float(sides.outside + sides.deviation * self._noise())
        )

    def _noise(self) -> float:
        return float(self._random.standard_normal())


def simulated_study(cells: Sequence[Cell], base_depth: int, base_width: float, world: World, seed: int) -> Study:
    """Draw the measurements of a study.

    Args:
        cells: the networks of the study.
        base_depth: depth of the networks whose width varies.
        base_width: width of the networks whose depth varies.
        world: what to draw from.
        seed: random seed.
    """
    random = np.random.default_rng(seed)
    draw = _Draw(world, sorted({cell.seed for cell in cells}), random)
    probed = _probed(cells)
    networks = tuple(_network(cell, cell in probed, world, draw) for cell in cells)
    return Study(
        networks=networks,
        base_depth=base_depth,
        base_width=base_width,
        agreements=tuple(_agreements(networks, world, draw)),
        errors=_errors(networks, base_width, world, random),
        permutations=PERMUTATIONS,
    )


def _probed(cells: Sequence[Cell]) -> set[Cell]:
    """Networks that get probes: the deepest and the widest ones on the largest part of the data."""
    largest = max((cell.subset for cell in cells), key=Fraction)
    on_it = [cell for cell in cells if cell.subset == largest]
    deepest, widest = max(cell.depth for cell in on_it), max(cell.width for cell in on_it)
    return {cell for cell in on_it if cell.depth == deepest or cell.width == widest}


def _network(cell: Cell, is_probed: bool, world: World, draw: _Draw) -> Network:
    mean, nothing = world.score(cell), Contrast(None, None)
    score = max(0.0, draw.value(mean, world.score_deviation, cell.seed)) if mean > 0 else 0.0

    def contrast(sides: Sides) -> Contrast:
        return draw.contrast(sides, cell.seed) if score else nothing

    return Network(
        name="",
        **cell._asdict(),
        accuracy=draw.value(0.9, world.accuracy_deviation, cell.seed),
        score=score,
        blocks=int(score > 0),
        pc1_fraction=nothing,
        block_cka=None,
        block_cka_without=None,
        probe_gain=contrast(world.probe_gain) if is_probed else nothing,
        deletion_cost=contrast(world.deletion_cost),
        pc1_share=contrast(world.pc1_share),
        map_correlation=contrast(world.map_correlation),
        block_contrast=draw.value(world.contrast, world.contrast_deviation, cell.seed) if score else None,
        block_contrast_without=draw.value(world.contrast_without, world.contrast_deviation, cell.seed)
        if score
        else None,
    )


def _agreements(networks: Sequence[Network], world: World, draw: _Draw) -> Iterator[Agreement]:
    """CKA between seeds of each architecture, and the mean over architectures of two seeds, if any has a block."""
    of_architecture, of_subset = (defaultdict[tuple[object, ...], dict[int, bool]](dict) for _ in range(2))
    compared = sorted({net.seed for net in networks})[:COMPARED_SEEDS]
    for net in (net for net in networks if net.seed in compared):
        of_architecture[net.depth, net.width, net.subset][net.seed] = net.blocks > 0
        of_subset[net.subset,][net.seed] = of_subset[net.subset,].get(net.seed, False) or net.blocks > 0
    kinds: tuple[tuple[Literal["seeds", "architectures"], Sides, Any], ...] = (
        ("seeds", world.seeds, of_architecture),
        ("architectures", world.architectures, of_subset),
    )
    for between, sides, groups in kinds:
        for group, has_blocks in groups.items():
            for pair in combinations(sorted(has_blocks), 2):
                if any(has_blocks[seed] for seed in pair):
                    yield Agreement("", str(group[-1]), between, draw.contrast(sides, *pair), pair)


def _errors(
    networks: tuple[Network, ...], base_width: float, world: World, random: np.random.Generator
) -> Errors | None:
    """Errors of two architectures of equal accuracy, as different as the number of seeds can show."""
    pair = nearest_in_accuracy(networks, base_width)
    if pair is None:
        return None
    subsets = sorted({net.subset for net in networks})
    deep, wide = (
        moments(world.accuracy_deviation * random.standard_normal((len(seeds), len(subsets))))
        for seeds in (pair.deep_seeds, pair.wide_seeds)
    )
    differences = welch(deep, wide, 0, EQUIVALENCE)
    ends = zip(subsets, *(values.tolist() for values in differences[:3]), strict=True)
    least = 1 / len(model_splits(deep.seeds, wide.seeds, PERMUTATIONS, 0).in_a)
    return Errors(
        deep="",
        wide="",
        strata=tuple(ErrorStratum(subset, mean, low, high, 1.0, 0.0) for subset, mean, low, high in ends),
        p_value=least,
        least=least,
        seeds=(deep.seeds, wide.seeds),
        power=equivalence_power(deep, wide, EQUAL, 0, draws=500),
    )
