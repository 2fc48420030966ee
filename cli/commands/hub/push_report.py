"""`zoo push-report`: a report into the repository of a model."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.report.kinds import ReportOptions, ResultKind, kind_of, load_result
from cli.terminal.output import interruptible, say
from zoo.errors import ZooError
from zoo.model_folder.folder import CARD

if TYPE_CHECKING:
    from compare.result.base import JsonResult


def push_report(
    report: Annotated[Path, typer.Argument(metavar="REPORT.JSON", help="What --json wrote.", show_default=False)],
    repo_id: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="A model on the Hub.", show_default=False)],
    message: Annotated[str | None, typer.Option(help="Of the commit.", show_default=False)] = None,
) -> None:
    """Add a report to a model's repository: page, picture, numbers, and a section of its card, in one commit.

    Pushed again it takes the place of the one before. A later push of a model folder replaces the card, this section
    included, unless the folder was pulled since. For example:
    zoo push-report report.json me/resnet14-w1-digits
    """
    from cards.model_card.report_section import slug, with_report
    from zoo.hub.publish import push_files

    if not report.is_file():
        raise ZooError(
            f"expected the JSON of a report, got {report}, which is no file; `compare A B --json` writes one."
        )
    result = load_result(report)
    kind = kind_of(result)
    if kind.card_title is None:
        raise ZooError("expected the JSON of a compare or inspect, got another report; a model's card tells of these.")
    title, verdict = kind.card_title(result), kind.verdict(result)
    with interruptible("push again to be sure that all has arrived"):
        done = push_files(
            repo_id,
            {f"reports/{slug(title)}/report.{form}": data for form, data in _files(result, kind).items()},
            {CARD: partial(with_report, title=title, verdict=verdict)},
            message or f"Add the report: {title}"[:200],
        )
    if not done.changed:
        say("nothing has changed since the last commit.")
    print(f"{done.url} {done.commit}")


def _files(result: "JsonResult", kind: ResultKind) -> dict[str, bytes]:
    options = ReportOptions()
    return {
        "json": result.to_json().encode() + b"\n",
        "png": kind.picture(result, "png", options),
        "html": kind.page(result, options),
    }
