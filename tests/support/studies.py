"""Simulated studies of networks with planted values."""

from itertools import combinations, product

from compare.result.models import DatasetResult
from compare.result.study import (
    Agreement,
    Contrast,
    Errors,
    ErrorStratum,
    Heatmap,
    Network,
    Power,
    Reproduction,
)
from compare.study.claims import judge
from compare.study.networks import Study
from compare.study.power import Cell, Sides, World
from tests.support.samples import matrix

NOTHING = Contrast(None, None)
SIZES = ((14, 1.0), (38, 1.0), (74, 1.0), (110, 1.0), (14, 2.0), (14, 4.0))
# No claim holds, but networks of the same seed have half of their variance in common.
NO_DIFFERENCE = World(
    depths=((14, 0.3),),
    widths=((1, 0.0),),
    halving=0.0,
    pc1_share=Sides(0.5, 0.5, 0.1),
    map_correlation=Sides(0.5, 0.5, 0.1),
    contrast=0.2,
    contrast_without=0.1,
    seeds=Sides(0.5, 0.5, 0.1),
    architectures=Sides(0.5, 0.5, 0.1),
    probe_gain=Sides(0.0, 0.0, 0.01),
    deletion_cost=Sides(0.1, 0.1, 0.05),
    shared=0.5,
)


def network(depth=14, width=1.0, subset="1", seed=0, **known):
    """One network, by default without block structure."""
    planted = {"accuracy": 0.9, "score": 0.0, "blocks": int(known.get("score", 0) > 0)} | known
    contrasts = dict.fromkeys(("pc1_fraction", "probe_gain", "deletion_cost"), NOTHING)
    contrasts |= {"block_cka": None, "block_cka_without": None}
    name = f"resnet{depth}-w{width:g}-s{seed}"
    return Network(name=name, depth=depth, width=width, subset=subset, seed=seed, **contrasts | planted)


def study(sign=1, seeds=4):
    """A study of four depths, three widths, and three subsets that supports every claim, or with -1 contradicts it."""
    depths, widths = [(d, 1.0) for d in (14, 38, 74, 110)], [(14, 2.0), (14, 4.0)]
    parts = ("1", "1/2", "1/4")
    networks = [
        _planted(sign, *size, part, seed, number, place)
        for number, size in enumerate([*depths, *widths])
        for place, part in enumerate(parts)
        for seed in range(seeds)
    ]
    agreements = [
        Agreement(between, part, between, contrast(-sign, sum(pair)), pair)
        for between in ("seeds", "architectures")
        for part in parts
        for pair in combinations(range(seeds), 2)
    ]
    stratum = ErrorStratum("1", 0.001, -0.004, 0.006, 0.02, 0.01)
    errors = Errors("depth 110, width 1", "depth 14, width 4", (stratum,), 0.001, 0.001, (5, 5), 0.9)
    return Study(tuple(networks), 14, 1.0, tuple(agreements), errors)


def contrast(sign, jitter):
    """A contrast that is higher inside block structure than outside, or with -1 lower."""
    return Contrast(0.5 + sign * 0.15 + 0.01 * (jitter % 3), 0.5 - sign * 0.15)


def _planted(sign, depth, width, part, seed, size, place):
    rank = size if width == 1 else size - 3
    score = 0.4 + sign * (0.1 * rank + 0.04 * place) + 0.005 * seed
    return network(
        depth,
        width,
        part,
        seed,
        score=score,
        pc1_fraction=Contrast(0.6, 0.2),
        pc1_share=contrast(sign, seed),
        map_correlation=contrast(sign, seed),
        block_contrast=0.4,
        block_contrast_without=0.2 - sign * 0.1 + 0.005 * (seed % 3),
        probe_gain=contrast(-sign, seed),
        deletion_cost=contrast(-sign, seed),
    )


def cells(seeds, parts=("1", "1/2", "1/4")):
    """The networks of the default grid of `zoo reproduce`, with any number of seeds."""
    return [Cell(*size, part, seed) for size, part, seed in product(SIZES, parts, range(seeds))]


def reproduction(of):
    """The result of a study."""
    cells = matrix([[1.0, 0.5], [0.5, 1.0]])
    return Reproduction(
        dataset=DatasetResult("digits", "test", 360, ("0", "1"), "f" * 64),
        claims=judge(of),
        networks=of.networks,
        agreements=of.agreements,
        errors=of.errors,
        heatmaps=tuple(Heatmap(depth, 1.0, "1", 0, cells, ((0.5, 1.0),)) for depth in (14, 74)),
        settings={"seed": 0, "training_seconds": 12.5},
        versions={"python": "3"},
        notes=(),
        power=(Power("depth", "Block structure appears with depth.", "score 0 at 14, 0.4 at 110", 0.25),),
    )
