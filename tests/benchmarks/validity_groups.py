"""Error rates and coverage of the statistics of `zoo groups`.

`python -m tests.benchmarks.validity_groups [DRAWS] [--only {skill,none,classes,variances}]`

Seeds of two groups are drawn many times from a known distribution (tests/support/seeds.py). Without a difference
between the groups: how often each test has p < 0.05, how often any of Holm's p-values is below 0.05, and how often the
95 % intervals contain the true value. With planted differences: the power, the coverage, and the estimates.

The table `skill` tests "they get different images right" where one group is uniformly better, and where images differ.
It compares the plain mean squared difference with the one beyond a uniform difference in skill, which `zoo groups`
tests.
"""

import numpy as np

from compare.groups.class_share import class_share
from compare.groups.classes import class_tests, count_right
from compare.groups.confirm import confirmation
from compare.groups.spread import spread
from compare.stats.dealing import model_splits
from compare.stats.welch import moments, welch
from tests.benchmarks.tables import print_tables
from tests.support.seeds import rejections, truth

# Classes, examples of each, mean ease: like digits, CIFAR-10, and part of ImageNet.
DATA = {"digits": (10, 36, 3.5), "cifar": (10, 200, 2.5), "many": (100, 50, 1.2)}
SIZES = ((2, 2), (3, 3), (5, 5), (10, 10), (30, 30), (2, 10), (3, 10), (4, 6))
PERMUTATIONS = 199
# Uniform difference in skill, and standard deviation of the difference between images, in logits.
SKILLS = {
    "no difference": (0.0, 0.0),
    "b better by 0.6 on every image": (0.6, 0.0),
    "b better by 1.0 on every image": (1.0, 0.0),
    "images differ, sd 0.4": (0.0, 0.4),
    "images differ, sd 0.8": (0.0, 0.8),
    "b better by 0.6, images differ, sd 0.8": (0.6, 0.8),
}
SKILL_SIZES = ((4, 4), (5, 5), (10, 10), (4, 6), (3, 10), (10, 3))


def once(what, random, seeds):
    """All tests of one draw: rejections, coverage of intervals, and estimates."""
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
    real_share = real.var() / what.differences.var() if real.any() else np.nan
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
        "cover share": np.nan if share.ci_low is None else share.ci_low <= real_share <= share.ci_high,
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


def table(title, keys, sizes, gap, draws):
    """Print percentages for every kind of data and size of groups."""
    print(f"{title}, in %\ndata    seeds  " + "".join(f"{key:>14}" for key in keys))
    for name, (classes, *data) in DATA.items():
        what = truth(np.random.default_rng(0), classes, *data, class_gap=gap, gap_classes=classes // 5)
        for a, b in sizes:
            found = measure(what, (a, b), draws)
            print(f"{name:8}{a:2}+{b:<4}" + "".join(f"{100 * found[key]:14.1f}" for key in keys), flush=True)


def variances(draws):
    """Print estimates of variances and shares next to the true values."""
    print("Variance between examples and between classes (x 1e4), share: means over draws; coverage and power in %")
    print("data    seeds          total   between   share uncorrected   cover share   spread found")
    for name, data in DATA.items():
        what = truth(np.random.default_rng(0), *data, class_gap=0.2, example_gap=0.5)
        total, between = what.differences.var(), what.class_differences.var()
        print(f"{name:8}truth     {1e4 * total:10.2f}{1e4 * between:10.2f}{between / total:8.3f}")
        for a, b in SIZES[:5]:
            found = measure(what, (a, b), draws)
            numbers = f"{1e4 * found['total']:10.2f}{1e4 * found['between']:10.2f}{found['share']:8.3f}"
            rates = f"{100 * found['cover share']:14.1f}{100 * found['spread']:15.1f}"
            print(f"{name:8}{a:2}+{b:<7}{numbers}{found['uncorrected']:12.3f}{rates}", flush=True)


def skill(draws):
    """Print how often both statistics reject, for groups that differ in skill or on single images."""
    print(f"Different images right: share of {draws} draws with p <= 0.05, plain / beyond skill, 1,000 images")
    print(f"{'truth, in logits':38}" + "".join(f"{f'{a}+{b}':>13}" for a, b in SKILL_SIZES))
    for name, (shift, gap) in SKILLS.items():
        rates = [rejections(seeds, draws, PERMUTATIONS, shift=shift, gap=gap) for seeds in SKILL_SIZES]
        print(f"{name:38}" + "".join(f"{f'{plain:.3f}/{beyond:.3f}':>13}" for plain, beyond in rates), flush=True)


def no_difference(draws):
    """Print error rates and coverage without any difference."""
    rates = ["accuracy", "spread", "count", "class", "fwer", "confirm", "cover", "cover class", "cover confirm"]
    table(
        f"No difference: share of {draws} draws with p < 0.05, and with the true value in the interval",
        rates,
        SIZES,
        0.0,
        draws,
    )


def class_differences(draws):
    """Print power, false positives, and coverage where some classes differ."""
    rates = ["spread", "count", "class", "holm", "fwer", "fdr", "confirm", "cover", "cover class", "cover confirm"]
    table(
        "A fifth of the classes differ by 0.3 in ease: power, false positives, coverage", rates, SIZES[:5], 0.3, draws
    )


TABLES = {"skill": skill, "none": no_difference, "classes": class_differences, "variances": variances}


if __name__ == "__main__":
    print_tables(__doc__, TABLES, "number of draws from each truth")
