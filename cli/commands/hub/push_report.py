"""`zoo push-report`: add a report to the repository of a model."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.report.kinds import ReportOptions, ResultKind, kind_of, load_result
from cli.terminal.output import interruptible, show_commit
from zoo.errors import ZooError
from zoo.hub.ref import public_ref
from zoo.model_folder.folder import CARD

if TYPE_CHECKING:
    from compare.result.base import JsonResult

# Keys of models and files in the JSON of a result.
PLACES = ("ref", "path", "superclasses")


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
    show_commit(pushed.url, pushed.commit, pushed.changed)


def _without_folders(result: "JsonResult") -> "JsonResult":
    """A result without absolute paths, which those of earlier versions may hold."""
    values = _public(json.loads(result.to_json()))
    values["dataset"]["name"] = _public(values["dataset"]["name"], "ref")
    return type(result).from_json(json.dumps(values))


def _public(value: Any, key: str = "") -> Any:
    """A value of JSON with the last names alone of models and files; other texts, such as classes, do not change."""
    if isinstance(value, dict):
        return {name: _public(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_public(item, key) for item in value]
    return public_ref(value) if isinstance(value, str) and key in PLACES else value


def _files(result: "JsonResult", kind: ResultKind) -> dict[str, bytes]:
    options = ReportOptions()
    return {
        "json": result.to_json().encode() + b"\n",
        "png": kind.picture(result, "png", options),
        "html": kind.page(result, options),
    }
