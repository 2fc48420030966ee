"""The paper's claims in the terminal: the verdict, and each claim with what was measured."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cards.words.claims import claims_verdict, effect_fact, estimate_fact, reason_fact
from cards.words.legible import probability
from cli.terminal.output import is_quiet, plain, plain_table
from compare.result.study import Claim, Reproduction


class ReproductionReport:
    """All that was found out about the claims.

    Args:
        result: what to show.
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
        yield _overview(result)
        yield ""
        for claim in result.claims:
            yield from _claim(claim)


def _overview(result: Reproduction) -> Table:
    table = plain_table("Claims of the paper, and what these networks show", ("claim", "verdict"), ("effect", "p Holm"))
    for claim in result.claims:
        effect = estimate_fact(claim.effect, "+").split(" (")[0]
        table.add_row(plain(claim.statement), claim.verdict, effect, probability(claim.p_adjusted))
    table.caption = "effects above 0 are as the paper has it; p Holm: for all claims together"
    return table


def _claim(claim: Claim) -> Iterator[RenderableType]:
    yield Text(claim.statement, style="bold")
    yield plain(f"{claim.verdict}: {effect_fact(claim)} ({claim.source})")
    for text in (reason_fact(claim), claim.remark):
        if text:
            yield plain(text)
    table = plain_table("", ("", ""), ("mean (95 % interval)", "units"))
    for reading in claim.readings:
        table.add_row(reading.series, reading.label, estimate_fact(reading.mean), str(len(reading.units)))
    yield plain(f"Measured: {claim.quantity}.")
    yield table
    yield plain(claim.test)
    yield ""
