"""`zoo push-report`: add a report to the repository of a model."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.report.kinds import ReportOptions, ResultKind, kind_of, load_result
from cli.terminal.output import interruptible, say
from zoo.errors import ZooError
from zoo.hub.ref import public_ref
from zoo.model_folder.folder import CARD

if TYPE_CHECKING:
    from compare.result.base import JsonResult
    from compare.result.models import ModelResult


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

    if not report.exists():
        raise ZooError(
            f"expected the JSON of a result, but there is no file {report}; `compare A B --json FILE` writes one."
        )
    result = load_result(report)
    kind = kind_of(result)
    if kind.card_title is None:
        raise ZooError(
            "expected the JSON of a compare or inspect, got another kind of result, which does not belong in a model "
            "card."
        )
    result = _without_folders(result)
    title, verdict = kind.card_title(result), kind.verdict(result)
    with interruptible("the upload may be incomplete. Push again"):
        pushed = push_files(
            repo_id,
            {f"reports/{slug(title)}/report.{form}": data for form, data in _files(result, kind).items()},
            {CARD: partial(with_report, title=title, verdict=verdict)},
            message or f"Add the report: {title}"[:200],
        )
    if not pushed.changed:
        say("nothing has changed since the last commit.")
    print(f"{pushed.url} {pushed.commit}")


def _without_folders(result: "JsonResult") -> "JsonResult":
    """A result without absolute paths, which those of earlier versions may hold in the references to models."""
    from compare.result.comparison import Comparison
    from compare.result.inspection import Inspection
    from compare.result.models import ModelPair

    if isinstance(result, Comparison):
        return replace(result, models=ModelPair(_public(result.models.a), _public(result.models.b)))
    return replace(result, model=_public(result.model)) if isinstance(result, Inspection) else result


def _public(model: "ModelResult") -> "ModelResult":
    return replace(model, ref=public_ref(model.ref)) if model.ref else model


def _files(result: "JsonResult", kind: ResultKind) -> dict[str, bytes]:
    options = ReportOptions()
    return {
        "json": result.to_json().encode() + b"\n",
        "png": kind.picture(result, "png", options),
        "html": kind.page(result, options),
    }
