"""Facts about two groups of seeds, in the words that the terminal and the page share."""

from collections.abc import Iterator

from cards.words.legible import chance, interval, number
from compare.result.groups import ClassTests, Confirmation, Difference, FoundCount, GroupComparison, Selected, Spread


def difference_fact(difference: Difference) -> str:
    """The difference between the accuracies of the groups, with its interval and p-value."""
    ends = interval(difference.ci_low, difference.ci_high, "+.2f")
    points = f"{100 * difference.difference:+.2f} points"
    return f"a - b: {points}, 95 % interval {ends}; {chance(difference.p_value)}."


def spread_facts(spread: Spread) -> dict[str, float]:
    """Mean squared differences between the accuracies on an image, by what is compared.

    The last three are those of the test. In files without `beyond_skill`, the test is about the first one.
    """
    facts = {
        "a with b": spread.mean_square,
        "two groups of a's architecture, expected": spread.within_a,
        "two groups of b's architecture, expected": spread.within_b,
        "a with b, without the noise of few seeds": spread.true_mean_square,
    }
    if spread.beyond_skill is not None:
        facts["a with b, beyond a uniform difference in skill"] = spread.beyond_skill
    facts["two random groups of the models, mean"] = spread.null_mean
    facts["two random groups, 95th percentile"] = spread.null_95
    return facts


def permutation_fact(result: GroupComparison) -> str:
    """What the test of the spread compares, its p-value, and how many permutations it comes from."""
    permutation, spread = result.permutation, result.spread
    ways = f"all {permutation.splits}" if permutation.exact else f"{permutation.splits} random"
    compared = "without removing" if spread.beyond_skill is None else "after removing"
    return (
        f"Different images right, tested {compared} a uniform difference in skill: {chance(spread.p_value)}, "
        f"from {ways} ways to divide the models into two groups."
    )


def skill_fact(spread: Spread) -> str:
    """Why and how the test of the spread removes a uniform difference in skill."""
    if spread.beyond_skill is None:
        return (
            "This file was written by an earlier version: its test is also significant if one group is merely more "
            "accurate. Run the comparison again."
        )
    return (
        "A more accurate group gets more images right, above all those of medium difficulty. The test removes such a "
        "uniform difference in skill: it compares only images that equally many models get right."
    )


def count_fact(count: FoundCount) -> str:
    """How many classes differ, and how many differ by chance."""
    return (
        f"{count.found} of {count.tested} have p < 0.05; random groups of the models have {count.null_mean:.1f} on "
        f"average and at most {count.null_95:.0f} in 95 % of cases ({chance(count.p_value)})."
    )


def class_facts(name: str, tests: ClassTests) -> Iterator[str]:
    """How much of the differences between images the classes explain, and how many classes are not listed.

    Args:
        name: `class` or `superclass`.
        tests: the classes or superclasses.
    """
    yield _share(f"{name.capitalize()}es", tests)
    if count := sum(not differs(row.difference) for row in tests.rows):
        yield left_out_fact(name, f"{name}es", count)


def _share(name: str, tests: ClassTests) -> str:
    share = tests.share
    if share.share is None:
        return "Images do not differ beyond the noise of so few seeds."
    ends = "" if share.ci_low is None else f" (95 % interval {interval(share.ci_low, share.ci_high, '.0f')})"
    noisy, logits = number(share.uncorrected, ".1%"), number(share.logistic, ".1%")
    return (
        f"{name} explain {share.share:.1%}{ends} of the differences between images, {noisy} with the noise of few "
        f"seeds (the paper's v^2: {logits}); random classes explain {share.chance:.1%}."
    )


def differs(difference: float | None) -> bool:
    """Whether a difference between accuracies is not +0.0 points when it is rounded; True if it is unknown."""
    return difference is None or round(100 * difference, 1) != 0


def differing(confirmation: Confirmation) -> tuple[Selected, ...]:
    """The selected classes or images that differ on the other seeds too."""
    return tuple(item for item in confirmation.selected if differs(item.difference))


def left_out_fact(one: str, many: str, count: int, where: str = "") -> str:
    """How many rows are not listed because they do not differ.

    Args:
        one: what a row is about, such as `class`.
        many: its plural.
        count: number of rows that are left out.
        where: end of the sentence, such as ` on the other seeds`.
    """
    return f"Not listed: {count} {one if count == 1 else many} without a difference{where}."


def confirmation_fact(confirmation: Confirmation) -> str:
    """What is left of the selected differences on the other seeds."""
    if not differs(confirmation.selecting):
        return "On half of the seeds, none of them differs."
    change = f"{100 * confirmation.selecting:.1f} points became {100 * confirmation.confirming:.1f}"
    if len(confirmation.selected) > 1:
        change = f"All {len(confirmation.selected)}: {change}"
    if confirmation.p_value is None:
        return f"{change}."
    ends = interval(confirmation.ci_low, confirmation.ci_high, "+.1f")
    return f"{change}, 95 % interval {ends}; {chance(confirmation.p_value)}."
