"""`zoo show`: all that is known of one model, without running it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli.inputs.known_model import find_known
from cli.report.deliver import Files, redraw
from cli.terminal.options import Html, Json, Png, Svg
from cli.terminal.output import interruptible, show, write_result
from zoo.errors import ZooError


def show_model(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model folder, Hub id, or report.json.", show_default=False)
    ],
    json_file: Json = None,
    png: Png = None,
    svg: Svg = None,
    html: Html = None,
) -> None:
    """Show all that is known of a model, its training curves included; or a report again, from its JSON.

    From the Hub it fetches the configuration and the training record, not the weights. For example:
    zoo show models/resnet14-w1-digits-s0
    """
    if Path(model).is_file():
        if json_file is not None:
            raise ZooError(f"{model} is JSON already; leave --json out.")
        redraw(Path(model), Files(png=png, svg=svg, html=html))
        return
    if png or svg or html:
        raise ZooError(f"pictures and pages are made of reports, and {model} is none; give the JSON of one.")
    with interruptible("nothing was written"):
        known = find_known(model)
    if json_file is not None:
        write_result(json_file, msgspec.json.format(msgspec.json.encode(asdict(known))) + b"\n")
    if str(json_file) != "-":
        from cli.report.model import ModelReport

        show(ModelReport(known))
