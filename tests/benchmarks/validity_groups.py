"""Whether the tests and intervals of `zoo groups` hold: `python -m tests.benchmarks.validity_groups [DRAWS]`.

Seeds of two groups are drawn (tests/seeds.py) with a known truth, many times. Without a difference between the groups:
how often each test has p < 0.05, how often any of Holm's p-values is below 0.05, and how often the 95 % intervals hold
the truth. With planted differences: how often they are found, the coverage again, and the estimates beside the truth.
"""

import sys

import numpy as np

from compare.class_share import class_share
from compare.confirm import confirmation
from compare.group_classes import class_tests, count_right
from compare.splits import model_splits
from compare.spread import spread
from compare.welch import moments, welch
from tests.seeds import truth

# Classes, examples of each, mean ease: like digits, CIFAR-10, and part of ImageNet.
DATA = {"digits": (10, 36, 3.5), "cifar": (10, 200, 2.5), "many": (100, 50, 1.2)}
SIZES = ((2, 2), (3, 3), (5, 5), (10, 10), (30, 30), (2, 10), (3, 10), (4, 6))
PERMUTATIONS = 199


def once(what, random, seeds):
    """All tests of one draw: rejections, whether intervals hold the truth, and estimates."""
    a, b = what.draw(random, *seeds)
    splits = model_splits(*seeds, PERMUTATIONS, int(random.integers(2**31)))
    names = [str(number) for number in range(what.labels.max() + 1)]
    classes = class_tests(a, b, what.labels, names, splits)
    overall = welch(moments(a.sum(1)), moments(b.sum(1)), 1)
    sizes = np.bincount(what.labels)
    accuracy = (count_right(right, what.labels, len(sizes)) / sizes for right in (a, b))
    confirmed = confirmation(*accuracy, np.arange(len(sizes)), np.arange(len(sizes)), sizes)
    share, rows, n = class_share(a, b, what.labels), classes.rows, len(what.labels)
    real = what.class_differences
    target = np.mean([np.sign(item.selecting) * real[item.item] for item in confirmed.selected])
    gap = real != 0
    small, holm = np.array([row.p_value < 0.05 for row in rows]), np.array([row.p_holm < 0.05 for row in rows])
    discovered = np.array([row.p_bh < 0.05 for row in rows])
    return {
        "accuracy": overall.p_value < 0.05,
        "spread": spread(a, b, splits).p_value <= 0.05,
        "count": classes.count.p_value <= 0.05,
        "class": small[gap].mean() if gap.any() else small.mean(),
        "holm": holm[gap].mean() if gap.any() else holm.any(),
        "fwer": holm[~gap].any(),
        "fdr": (discovered & ~gap).sum() / max(1, discovered.sum()),
        "confirm": np.nan if confirmed.p_value is None else confirmed.p_value < 0.05,
        "cover": overall.low <= n * what.differences.mean() <= overall.high,
        "cover class": np.mean([row.ci_low <= d <= row.ci_high for row, d in zip(rows, real, strict=True)]),
        "cover confirm": np.nan if confirmed.p_value is None else confirmed.ci_low <= target <= confirmed.ci_high,
        "total": share.total,
        "between": share.between,
        "share": np.nan if share.share is None else share.share,
        "uncorrected": np.nan if share.uncorrected is None else share.uncorrected,
    }


def measure(what, seeds, draws):
    """Means over many draws."""
    random = np.random.default_rng(1)
    found = [once(what, random, seeds) for _ in range(draws)]
    with np.errstate(invalid="ignore"):
        return {
            key: np.nansum([f[key] for f in found]) / np.sum(~np.isnan([f[key] for f in found])) for key in found[0]
        }


def main():
    """Print three tables."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    keys = ["accuracy", "spread", "count", "class", "fwer", "confirm", "cover", "cover class", "cover confirm"]
    print(f"No difference: share of {draws} draws in which each test has p < 0.05, and intervals hold the truth, in %")
    print("data    seeds  " + "".join(f"{key:>14}" for key in keys))
    for name, data in DATA.items():
        what = truth(np.random.default_rng(0), *data)
        for seeds in SIZES:
            found = measure(what, seeds, draws)
            print(
                f"{name:8}{seeds[0]:2}+{seeds[1]:<4}" + "".join(f"{100 * found[key]:14.1f}" for key in keys), flush=True
            )
    print("\nPlanted: a fifth of the classes, by 0.3 in ease; power, wrong findings, and coverage, in %")
    keys = ["spread", "count", "class", "holm", "fwer", "fdr", "confirm", "cover", "cover class", "cover confirm"]
    print("data    seeds  " + "".join(f"{key:>14}" for key in keys))
    for name, (classes, *data) in DATA.items():
        what = truth(np.random.default_rng(0), classes, *data, class_gap=0.3, gap_classes=classes // 5)
        for seeds in SIZES[:5]:
            found = measure(what, seeds, draws)
            print(
                f"{name:8}{seeds[0]:2}+{seeds[1]:<4}" + "".join(f"{100 * found[key]:14.1f}" for key in keys), flush=True
            )
    print("\nVariance between examples, between classes (x 1e4), and share: means over draws, and the truth")
    for name, data in DATA.items():
        what = truth(np.random.default_rng(0), *data, class_gap=0.2, example_gap=0.5)
        total, between = what.differences.var(), what.class_differences.var()
        print(f"{name:8}truth    {1e4 * total:10.2f}{1e4 * between:10.2f}{between / total:8.3f}")
        for seeds in SIZES[:5]:
            found = measure(what, seeds, draws)
            numbers = f"{1e4 * found['total']:10.2f}{1e4 * found['between']:10.2f}{found['share']:8.3f}"
            print(f"{name:8}{seeds[0]:2}+{seeds[1]:<4}  {numbers}   uncorrected {found['uncorrected']:.3f}", flush=True)


if __name__ == "__main__":
    main()
