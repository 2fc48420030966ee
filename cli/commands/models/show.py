"""`zoo show`: show the details of a model, or a saved report, without running a model."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec

from cli.inputs.known_model import find_known
from cli.report.deliver import Files, redraw
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, say_written, show, write_result
from zoo.errors import UsageError


@expand_options
def show_model(
    model: Annotated[str, options.model_argument("MODEL", "A model folder, a Hub id, or the JSON of a result.")],
    full: options.Full = False,
    *,
    files: Files,
) -> None:
    """Show the details of a model, or a saved report.

    The details include training curves. For a model on the Hub, only configuration and training record are downloaded.

    Example: zoo show models/resnet14-w1-digits-s0
    """
    path = Path(model)
    if path.is_file() or (path.suffix == ".json" and not path.exists()):
        if files.json is not None:
            raise UsageError(f"{model} is JSON already; remove --json.")
        redraw(path, files, full)
        return
    if files.png or files.svg or files.html:
        raise UsageError(f"--png, --svg, and --html need the JSON of a result, got the model {model}.")
    with interruptible("nothing was written"):
        known = find_known(model)
    if files.json is not None:
        write_result(files.json, msgspec.json.format(msgspec.json.encode(asdict(known))) + b"\n")
        say_written(files.json)
    if str(files.json) != "-":
        from cli.report.model import ModelReport

        show(ModelReport(known))
