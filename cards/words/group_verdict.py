"""A comparison of two groups of seeds in plain words."""

from collections.abc import Iterator

from cards.words.legible import chance
from compare.result.groups import Confirmation, GroupComparison
from compare.stats.paired import LEVEL


def group_verdict(result: GroupComparison) -> str:
    """The answer in a few sentences: who is right more often, on which images and classes, and what is left of that."""
    return " ".join(_sentences(result))


def _sentences(result: GroupComparison) -> Iterator[str]:
    yield _accuracy(result)
    yield _spread(result)
    yield _classes(result)
    share = result.classes.share
    if share.share is not None and result.spread.p_value <= LEVEL:
        interval = "" if share.ci_low is None else f" ({share.ci_low:.0%} to {share.ci_high:.0%})"
        yield (
            f"Classes explain {share.share:.0%}{interval} of how images differ; classes drawn at random would explain "
            f"{share.chance:.1%}."
        )
    yield _confirmed("class", "classes", result.confirmed_classes)
    yield _confirmed("image", "images", result.confirmed_examples)


def _accuracy(result: GroupComparison) -> str:
    a, b, p_value = result.a, result.b, result.accuracy.p_value
    better = "neither is right more often than chance explains"
    if p_value < LEVEL:
        better = f"{'a' if a.accuracy > b.accuracy else 'b'} is right more often"
    return (
        f"Over {len(a.models)} seeds a gets {100 * a.accuracy:.2f} ± {100 * a.standard_error:.2f}% of "
        f"{result.dataset.examples} images right and b over {len(b.models)} seeds {100 * b.accuracy:.2f} ± "
        f"{100 * b.standard_error:.2f}%; {better} ({chance(p_value)})."
    )


def _spread(result: GroupComparison) -> str:
    spread = result.spread
    if spread.p_value <= LEVEL:
        return f"They get different images right, more than seeds of one architecture would ({chance(spread.p_value)})."
    if result.permutation.smallest_p > LEVEL:
        return "Whether they get different images right cannot be told from so few seeds."
    return f"Which images they get right differs no more than chance explains ({chance(spread.p_value)})."


def _classes(result: GroupComparison) -> str:
    count, rows = result.classes.count, result.classes.rows
    sure = [row.name for row in rows if row.p_holm is not None and row.p_holm < LEVEL]
    text = (
        f"{count.found} of {count.tested} classes differ at p < 0.05, where models dealt at random give "
        f"{count.null_mean:.1f} on average and up to {count.null_95:.0f} in 95% of cases;"
    )
    if not sure:
        return f"{text} none does after correction for looking at all of them."
    more = f" and {len(sure) - 5} more" if len(sure) > 5 else ""
    return f"{text} after correction for looking at all of them, {', '.join(sure[:5])}{more}."


def _confirmed(one: str, many: str, found: Confirmation) -> str:
    count = len(found.selected)
    what = f"{one} of the largest difference" if count == 1 else f"{count} {many} of the largest differences"
    test = "" if found.p_value is None else f" ({chance(found.p_value)})"
    return (
        f"The {what} with half of the seeds, {100 * found.selecting:.1f} points, "
        f"{'has' if count == 1 else 'have'} {100 * found.confirming:.1f} with the others{test}."
    )
