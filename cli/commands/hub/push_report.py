"""`zoo push-report`: add a report to the repository of a model."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.report.kinds import Drawing, load_drawing
from cli.terminal.output import interruptible, say
from zoo.errors import ZooError
from zoo.model_folder.folder import CARD


def push_report(
    report: Annotated[
        Path, typer.Argument(metavar="REPORT.JSON", help="A result written with --json.", show_default=False)
    ],
    repo_id: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="Repository of the model on the Hub.", show_default=False)
    ],
    message: Annotated[str | None, typer.Option(help="Commit message.", show_default=False)] = None,
) -> None:
    """Add a report to a model's repository on the Hub.

    Adds page, picture, JSON, and a section of the model card in one commit, or replaces those of the same report. A
    later `zoo push` replaces the card, unless the folder was pulled after this command.

    Example: zoo push-report report.json me/resnet14-w1-digits
    """
    from cards.model_card.report_section import slug, with_report
    from zoo.hub.publish import push_files

    if not report.is_file():
        raise ZooError(
            f"expected the JSON of a result, but there is no file {report}; `compare A B --json FILE` writes one."
        )
    drawing = load_drawing(report)
    title, verdict = _words(drawing)
    with interruptible("the upload may be incomplete. Push again"):
        pushed = push_files(
            repo_id,
            {f"reports/{slug(title)}/report.{form}": data for form, data in _files(drawing).items()},
            {CARD: partial(with_report, title=title, verdict=verdict)},
            message or f"Add the report: {title}"[:200],
        )
    if not pushed.changed:
        say("nothing has changed since the last commit.")
    print(f"{pushed.url} {pushed.commit}")


def _words(drawing: Drawing) -> tuple[str, str]:
    """Title and verdict of a report."""
    from cards.words.verdict import inspection_verdict, verdict
    from compare.result.comparison import Comparison
    from compare.result.inspection import Inspection

    result = drawing.result
    if isinstance(result, Comparison):
        return f"{result.models.a.name} compared with {result.models.b.name}", verdict(result)
    if isinstance(result, Inspection):
        return f"A look inside {result.model.name}", inspection_verdict(result)
    raise ZooError(
        "expected the JSON of a compare or inspect, got another kind of result, which does not belong in a model card."
    )


def _files(drawing: Drawing) -> dict[str, bytes]:
    result, layout = drawing
    return {
        "json": result.to_json().encode() + b"\n",
        "png": layout.image(result, "png"),
        "html": layout.page(result),
    }
