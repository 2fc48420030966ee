"""Two groups of seeds in the terminal: the verdict, and tables of groups, spread, classes, and what was confirmed."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cards.words.facts import count_fact, images_fact, spread_facts, surely_different
from cards.words.group_verdict import group_verdict
from cards.words.legible import chance, number, percent, probability
from cli.report.disagreement import MAX_CLASSES, MAX_EXAMPLES
from cli.terminal.output import is_quiet, plain, plain_table, short
from compare.result.groups import ClassTests, Confirmation, Group, GroupComparison


class GroupsReport:
    """All that was found out about two groups of seeds.

    Args:
        result: what to show.
    """

    def __init__(self, result: GroupComparison) -> None:
        self._result = result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        result = self._result
        yield plain(group_verdict(result))
        if is_quiet():
            return
        for note in result.notes:
            yield plain(f"Note: {note}")
        yield ""
        yield _groups(result)
        yield f"{_difference(result)}\n"
        yield Text("Spread: mean squared difference of the accuracies of an image", style="bold")
        yield _spread(result)
        yield f"{_ways(result)}\n"
        yield from _tests("Classes", result.classes)
        if result.superclasses is not None:
            yield from _tests("Superclasses", result.superclasses)
        names = result.dataset.classes
        yield Text("Classes that differ most by half of the seeds, and their accuracy by the others", style="bold")
        yield _selected(result.confirmed_classes, names, ("class",))
        yield f"{_confirmed(result.confirmed_classes)}\n"
        yield Text("Images that differ most by half of the seeds, and their accuracy by the others", style="bold")
        yield _selected(result.confirmed_examples, names, ("index", "label"))
        yield _confirmed(result.confirmed_examples)


def _groups(result: GroupComparison) -> Table:
    table = plain_table(
        f"Groups, on {images_fact(result.dataset)}", ("", "models"), ("seeds", "parameters", "accuracy", "error")
    )
    for side, group in (("a", result.a), ("b", result.b)):
        table.add_row(
            side,
            plain(short(group.models[0].name) + ", ..."),
            str(len(group.models)),
            _parameters(group),
            f"{group.accuracy:.2%}",
            f"{100 * group.standard_error:.2f}",
        )
    return table


def _difference(result: GroupComparison) -> str:
    found = result.accuracy
    interval = _interval(found.ci_low, found.ci_high, "+.2f")
    return f"a - b: {100 * found.difference:+.2f} points, 95 % interval {interval}; {chance(found.p_value)}"


def _parameters(group: Group) -> str:
    least, most = min(model.parameters for model in group.models), max(model.parameters for model in group.models)
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def _spread(result: GroupComparison) -> Table:
    table = plain_table("", ("",), ("x 1000",))
    for what, value in spread_facts(result.spread).items():
        table.add_row(what, f"{1000 * value:.2f}")
    return table


def _ways(result: GroupComparison) -> str:
    permutation = result.permutation
    ways = f"all {permutation.splits} ways" if permutation.exact else f"{permutation.splits} ways"
    return f"{chance(result.spread.p_value)}, from {ways} to deal the models to two groups"


def _tests(title: str, tests: ClassTests) -> Iterator[RenderableType]:
    table = plain_table(
        f"{title}: accuracy over the seeds",
        (title.lower(),),
        ("images", "a %", "b %", "a - b", "95 % interval", "p", "p Holm", "p BH"),
    )
    rows = sorted(tests.rows, key=lambda row: surely_different(row.p_value, row.difference))
    for row in rows[:MAX_CLASSES]:
        table.add_row(
            plain(short(row.name)),
            str(row.examples),
            percent(row.accuracy_a, ".1f"),
            percent(row.accuracy_b, ".1f"),
            percent(row.difference, "+.1f"),
            _interval(row.ci_low, row.ci_high, "+.1f"),
            *(probability(value) for value in (row.p_value, row.p_holm, row.p_bh)),
        )
    table.caption = f"and {len(rows) - MAX_CLASSES} more, all in --json" if len(rows) > MAX_CLASSES else None
    yield table
    yield count_fact(tests.count)
    yield _share(title, tests)


def _share(title: str, tests: ClassTests) -> str:
    share = tests.share
    if share.share is None:
        return "Images do not differ beyond the noise of so few seeds.\n"
    interval = "" if share.ci_low is None else f" (95 % interval {_interval(share.ci_low, share.ci_high, '.0f')})"
    seen, logits = number(share.uncorrected, ".1%"), number(share.logistic, ".1%")
    return (
        f"{title} explain {share.share:.1%}{interval} of the differences between images,\n"
        f"{seen} with the noise of few seeds (the paper's v^2: {logits}); by chance {share.chance:.1%}.\n"
    )


def _selected(found: Confirmation, names: Sequence[str], texts: Sequence[str]) -> Table:
    """What half of the seeds selected, with the accuracies of the others."""
    table = plain_table("", texts, ("selected by", "a %", "b %", "a - b"))
    for item in found.selected[:MAX_EXAMPLES]:
        where = (str(item.item), plain(short(names[item.label])))[-len(texts) :]
        accuracies = percent(item.accuracy_a, ".1f"), percent(item.accuracy_b, ".1f")
        table.add_row(*where, percent(item.selecting, "+.1f"), *accuracies, percent(item.difference, "+.1f"))
    return table


def _confirmed(found: Confirmation) -> str:
    change = f"all {len(found.selected)}: {100 * found.selecting:.1f} points became {100 * found.confirming:.1f}"
    if found.p_value is None:
        return change
    return f"{change}, 95 % interval {_interval(found.ci_low, found.ci_high, '+.1f')}; {chance(found.p_value)}"


def _interval(low: float | None, high: float | None, form: str) -> str:
    return f"{percent(low, form)} to {percent(high, form)}"
