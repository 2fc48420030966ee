"""Error rates and power of the tests of `zoo reproduce`.

`python -m tests.benchmarks.validity_study [DRAWS] [--only {units,equality,power}]`

Studies are drawn many times from a known truth. `units`: how often each claim has p < 0.05 if there is no difference,
but networks with the same seed resemble each other; with networks, or pairs of networks, as units, and with seeds.
`equality`: how often a deep and a wide architecture are declared equally accurate although they differ by as much as
just does not count as equal, and how often if they are equal; with the most similar pair selected by the same seeds
that are tested, and by others. `power`: how often a study shows each claim if it holds as assumed.
"""

from itertools import product

import numpy as np
from scipy.stats import kendalltau

from compare.stats.units import differs_from_zero
from compare.stats.welch import equivalent, moments
from compare.study.claims import CLAIMS, judge
from compare.study.deep_and_wide import EQUAL, nearest_in_accuracy
from compare.study.power import World, powers, simulated_study
from tests.benchmarks.tables import print_tables
from tests.support.studies import NO_DIFFERENCE, cells, network

SEEDS = (3, 5, 10)
# Three deep and two wide architectures make six pairs.
DEEP, WIDE = ((38, 1.0), (74, 1.0), (110, 1.0)), ((14, 2.0), (14, 4.0))
DEVIATIONS = (0.003, 0.007)
KEYS = [definition.key for definition in CLAIMS]


def units(draws):
    """Print false positives of every claim but the last one, with networks and with seeds as units."""
    print(f"No difference, half of the variance shared by networks of a seed: share of {draws} studies with p < 0.05")
    print(f"{'seeds, unit':20}" + "".join(f"{key.removesuffix('itectures'):>10}" for key in KEYS[:-1]))
    for seeds in SEEDS:
        studies = [simulated_study(cells(seeds), 14, 1.0, NO_DIFFERENCE, seed) for seed in range(draws)]
        by_seed = [[claim.p_value for claim in judge(study)[:-1]] for study in studies]
        for unit, p_values in (("network, or pair", map(by_network, studies)), ("seed", by_seed)):
            rates = (np.array([list(values) for values in p_values], dtype=float) < 0.05).mean(0)
            print(f"{f'{seeds}, {unit}':20}" + "".join(f"{rate:10.3f}" for rate in rates), flush=True)


def by_network(study):
    """P-values of all claims but the last one, as if all networks, or pairs of networks, were independent."""
    series = study.depths("1").values(), study.widths("1").values()
    ranks = [[(rank, net.score) for rank, networks in enumerate(sizes) for net in networks] for sizes in series]
    ranks.append([(-float(net.subset == "1"), net.score) for net in study.networks])
    yield from (kendalltau(*zip(*pairs, strict=True)).pvalue for pairs in ranks)
    yield _t_test(net.pc1_share for net in study.networks)
    with_border = [net for net in study.networks if net.block_contrast is not None]
    yield differs_from_zero([net.block_contrast / 2 - net.block_contrast_without for net in with_border]).p_value
    for kind in ("seeds", "architectures"):
        yield _t_test(each.cka for each in study.agreements if each.between == kind)
    yield _t_test(net.probe_gain for net in study.networks)
    yield _t_test(net.deletion_cost for net in study.networks)


def _t_test(contrasts):
    tested = differs_from_zero([each.inside - each.outside for each in contrasts if each.inside is not None])
    return 1.0 if tested is None else tested.p_value


def equality(draws):
    """Print how often the nearest of six pairs is declared equally accurate, over one and three parts of the data."""
    print(f"Declared equally accurate within {100 * EQUAL:g} point: share of {draws} studies")
    print(f"{'':20}{'1 point apart, selected by':>28}{'equal, selected by':>28}")
    print(f"{'parts  seeds  SD':20}" + f"{'same seeds':>14}{'other seeds':>14}" * 2)
    for parts, seeds, deviation in product((1, 3), (6, 10, 20, 40), DEVIATIONS):
        rates = [rate for gap in (EQUAL, 0.0) for rate in declared_equal(parts, seeds, deviation, gap, draws)]
        print(f"{parts:5}{seeds:7}{100 * deviation:5.1f}   " + "".join(f"{rate:14.3f}" for rate in rates), flush=True)


def declared_equal(parts, seeds, deviation, gap, draws):
    """Share of studies whose selected pair is declared equal: selected by the tested seeds, and by the other half.

    Args:
        parts: number of parts of the data.
        seeds: number of seeds of each architecture.
        deviation: standard deviation of the accuracy between seeds.
        gap: accuracy of every wide architecture minus that of every deep one, on one part of the data; 0 on others.
        draws: number of studies.
    """
    random, sizes = np.random.default_rng(1), (*DEEP, *WIDE)
    gaps = np.array([gap, *[0.0] * (parts - 1)])
    count = np.zeros(2)
    for _ in range(draws):
        accuracy = {size: 0.9 + gaps * (size in WIDE) + random.normal(0, deviation, (seeds, parts)) for size in sizes}
        nearest = min(product(DEEP, WIDE), key=lambda pair: distance(accuracy, pair))
        count[0] += _equal(*(accuracy[size] for size in nearest))
        networks = [
            network(*size, subset=f"1/{2**part}", seed=seed, accuracy=value)
            for size, values in accuracy.items()
            for (seed, part), value in np.ndenumerate(values)
        ]
        pair = nearest_in_accuracy(networks, 1.0)
        count[1] += _equal(accuracy[pair.deep][list(pair.deep_seeds)], accuracy[pair.wide][list(pair.wide_seeds)])
    return count / draws


def distance(accuracy, pair):
    """Largest difference of the mean accuracies over parts of the data."""
    deep, wide = (accuracy[size].mean(0) for size in pair)
    return abs(deep - wide).max()


def _equal(deep, wide):
    return equivalent(moments(deep), moments(wide), EQUAL, 0).all()


def power(draws):
    """Print the power of the default grid of `zoo reproduce` with more and more seeds."""
    by_seeds = {seeds: powers(cells(seeds), 14, 1.0, World()) for seeds in (*SEEDS, 20)}
    print("Power of the default grid of `zoo reproduce`, in 100 studies")
    print(f"{'claim':14}" + "".join(f"{f'{seeds} seeds':>10}" for seeds in by_seeds) + "  assumption")
    for rows in zip(*by_seeds.values(), strict=True):
        print(f"{rows[0].key:14}" + "".join(f"{row.power:10.2f}" for row in rows) + f"  {rows[0].assumption}")


TABLES = {"units": units, "equality": equality, "power": power}


if __name__ == "__main__":
    print_tables(__doc__, TABLES, "number of studies from each truth")
