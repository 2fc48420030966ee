"""Facts about two groups of seeds, in the words that the terminal and the page share."""

from cards.words.legible import chance, interval, number
from compare.result.groups import ClassTests, Confirmation, Difference, FoundCount, GroupComparison, Spread


def difference_fact(difference: Difference) -> str:
    """The difference between the accuracies of the groups, with its interval and p-value."""
    ends = interval(difference.ci_low, difference.ci_high, "+.2f")
    points = f"{100 * difference.difference:+.2f} points"
    return f"a - b: {points}, 95 % interval {ends}; {chance(difference.p_value)}."


def spread_facts(spread: Spread) -> dict[str, float]:
    """Mean squared differences between the accuracies on an image, by what is compared."""
    return {
        "a with b": spread.mean_square,
        "two random groups of the models, mean": spread.null_mean,
        "two random groups, 95th percentile": spread.null_95,
        "two groups of a's architecture, expected": spread.within_a,
        "two groups of b's architecture, expected": spread.within_b,
        "a with b, without the noise of few seeds": spread.true_mean_square,
    }


def permutation_fact(result: GroupComparison) -> str:
    """The p-value of the spread, and how many permutations it comes from."""
    permutation = result.permutation
    ways = f"all {permutation.splits}" if permutation.exact else f"{permutation.splits} random"
    return f"{chance(result.spread.p_value)}, from {ways} ways to divide the models into two groups."


def count_fact(count: FoundCount) -> str:
    """How many classes differ, and how many differ by chance."""
    return (
        f"{count.found} of {count.tested} have p < 0.05; random groups of the models have {count.null_mean:.1f} on "
        f"average and at most {count.null_95:.0f} in 95 % of cases ({chance(count.p_value)})."
    )


def share_fact(name: str, tests: ClassTests) -> str:
    """How much of the differences between images the classes explain.

    Args:
        name: `Classes` or `Superclasses`, the subject of the sentence.
        tests: the classes or superclasses.
    """
    share = tests.share
    if share.share is None:
        return "Images do not differ beyond the noise of so few seeds."
    ends = "" if share.ci_low is None else f" (95 % interval {interval(share.ci_low, share.ci_high, '.0f')})"
    noisy, logits = number(share.uncorrected, ".1%"), number(share.logistic, ".1%")
    return (
        f"{name} explain {share.share:.1%}{ends} of the differences between images, {noisy} with the noise of few "
        f"seeds (the paper's v^2: {logits}); random classes explain {share.chance:.1%}."
    )


def confirmation_fact(confirmation: Confirmation) -> str:
    """What is left of the selected differences on the other seeds."""
    change = f"{100 * confirmation.selecting:.1f} points became {100 * confirmation.confirming:.1f}"
    change = f"All {len(confirmation.selected)}: {change}"
    if confirmation.p_value is None:
        return f"{change}."
    ends = interval(confirmation.ci_low, confirmation.ci_high, "+.1f")
    return f"{change}, 95 % interval {ends}; {chance(confirmation.p_value)}."
