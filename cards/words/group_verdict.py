"""Summary of a comparison of two groups of seeds in plain English."""

from collections.abc import Iterator

from cards.words.group_facts import differs
from cards.words.legible import chance, counted, interval
from compare.result.groups import Confirmation, GroupComparison
from compare.stats.interval import LEVEL


def group_verdict(result: GroupComparison) -> str:
    """Summary in a few sentences: cautions, accuracies, on which images and classes they differ, what is confirmed.

    Args:
        result: the comparison of the groups.
    """
    return " ".join(_sentences(result))


def _sentences(result: GroupComparison) -> Iterator[str]:
    yield from result.cautions
    yield _accuracy(result)
    yield _spread(result)
    yield _classes(result)
    share = result.classes.share
    if share.share is not None and result.spread.p_value <= LEVEL:
        ends = "" if share.ci_low is None else f" ({share.ci_low:.0%} to {share.ci_high:.0%})"
        yield (
            f"Classes explain {share.share:.0%}{ends} of the differences between images; random classes would "
            f"explain {share.chance:.1%}."
        )
    yield _confirmed("class", "classes", result.confirmed_classes)
    yield _confirmed("image", "images", result.confirmed_examples)


def _accuracy(result: GroupComparison) -> str:
    a, b, difference = result.a, result.b, result.accuracy
    if difference.p_value < LEVEL:
        which = "a" if a.accuracy > b.accuracy else "b"
        better = f"{which} is significantly more accurate ({chance(difference.p_value)})"
    else:
        ends = interval(difference.ci_low, difference.ci_high, "+.2f")
        better = f"they do not show which is more accurate (a - b: 95 % interval {ends} points)"
    images = counted(result.dataset.examples, "image")
    return (
        f"Over {len(a.models)} seeds, a gets {100 * a.accuracy:.2f} ± {100 * a.standard_error:.2f}% of {images} right; "
        f"over {len(b.models)} seeds, b gets {100 * b.accuracy:.2f} ± {100 * b.standard_error:.2f}%; {better}."
    )


def _spread(result: GroupComparison) -> str:
    spread = result.spread
    if spread.p_value <= LEVEL:
        if spread.beyond_skill is None:
            return (
                f"They differ more on single images than seeds of one architecture would ({chance(spread.p_value)}), "
                "perhaps only because one is more accurate."
            )
        return f"They get different images right, beyond a uniform difference in skill ({chance(spread.p_value)})."
    if result.permutation.smallest_p > LEVEL:
        return "So few seeds cannot show whether they get different images right."
    beyond = "" if spread.beyond_skill is None else " beyond a uniform difference in skill"
    return f"The images they get right do not differ significantly{beyond} ({chance(spread.p_value)})."


def _classes(result: GroupComparison) -> str:
    count, rows = result.classes.count, result.classes.rows
    significant = [row.name for row in rows if row.p_holm is not None and row.p_holm < LEVEL]
    text = (
        f"{count.found} of {count.tested} classes differ at p < 0.05; random groups of the models have "
        f"{count.null_mean:.1f} on average and up to {count.null_95:.0f} in 95 % of cases."
    )
    if not significant:
        return f"{text} After correction for testing all classes, none differs."
    more = f" and {len(significant) - 5} more" if len(significant) > 5 else ""
    verb = "differs" if len(significant) == 1 else "differ"
    return f"{text} After correction for testing all classes, {', '.join(significant[:5])}{more} {verb}."


def _confirmed(one: str, many: str, confirmation: Confirmation) -> str:
    if not differs(confirmation.selecting):
        return f"On half of the seeds, no {one} differs, so there is nothing to confirm on the others."
    count = len(confirmation.selected)
    subject = f"{one} that differs" if count == 1 else f"{count} {many} that differ"
    verb = "differs" if count == 1 else "differ"
    test = "" if confirmation.p_value is None else f" ({chance(confirmation.p_value)})"
    return (
        f"The {subject} most on half of the seeds, by {100 * confirmation.selecting:.1f} points, {verb} by "
        f"{100 * confirmation.confirming:.1f} on the others{test}."
    )
