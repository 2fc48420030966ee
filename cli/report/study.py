"""The paper's claims in the terminal: the verdict, and each claim with what was measured."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

from cards.tables.study import claims_table, power_table, readings_table
from cards.words.claims import claim_facts, claims_verdict, measured, measuring_command, not_measurable_fact
from cli.report.table import rich_table
from cli.terminal.output import is_quiet, plain
from compare.result.study import Claim, Reproduction


class ReproductionReport:
    """The terminal report of a study of the paper's claims.

    Args:
        result: the result to show.
    """

    def __init__(self, result: Reproduction) -> None:
        self._result = result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        result = self._result
        yield plain(claims_verdict(result))
        if is_quiet():
            return
        for note in result.notes:
            yield plain(f"Note: {note}")
        yield ""
        if table := claims_table(measured(result)):
            yield rich_table(table.drop("in the paper", "95 % interval", "p"))
        if fact := not_measurable_fact(result):
            yield plain(f"{fact} With more seeds, this may measure them:")
            yield plain(measuring_command(result))
        for claim in measured(result):
            yield ""
            yield from _claim(claim)
        if result.power:
            yield ""
            yield rich_table(power_table(result.power))


def _claim(claim: Claim) -> Iterator[RenderableType]:
    title = plain(claim.statement)
    title.stylize("bold")
    yield title
    for sentence in claim_facts(claim):
        yield plain(sentence)
    if table := readings_table(claim):
        yield rich_table(table)
