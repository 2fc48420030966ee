"""`zoo show`: all that is known of one model, without running it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli.card import read_record
from cli.deliver import Files
from cli.options import Html, Json, Png, Svg
from cli.output import interruptible, show, write_result
from cli.redraw import redraw
from zoo.catalog import Listed, listed, local_model
from zoo.config import ModelConfig, read_config
from zoo.errors import ZooError
from zoo.folder import CONFIG, RECORD, WEIGHTS, file_sha256
from zoo.record import TrainingRecord


@dataclass(frozen=True)
class Known:
    """What is known of a model.

    Args:
        summary: as in a list of models.
        config: its config.json.
        record: of its training, if there is one.
        sha256: of its weights, if they are there.
        files: names and sizes in bytes.
    """

    summary: Listed
    config: ModelConfig
    record: TrainingRecord | None
    sha256: str | None
    files: dict[str, int]


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
        known = _look_up(model)
    if json_file is not None:
        write_result(json_file, msgspec.json.format(msgspec.json.encode(asdict(known))) + b"\n")
    if str(json_file) != "-":
        from cli.model_report import ModelReport

        show(ModelReport(known))


def _look_up(ref: str) -> Known:
    from zoo.hub import download, parse_ref, pin

    place = parse_ref(ref)
    if isinstance(place, Path):
        return _in_folder(place)
    snapshot = pin(place)
    config = read_config(download(snapshot, CONFIG).parent)
    record = read_record(download(snapshot, RECORD).parent) if snapshot.has(RECORD) else None
    files = snapshot.files or {}
    return Known(
        summary=listed(str(place), "hub", config, revision=snapshot.commit, updated=snapshot.updated),
        config=config,
        record=record,
        sha256=files[WEIGHTS].digest if WEIGHTS in files else None,
        files={name: file.size for name, file in files.items()},
    )


def _in_folder(folder: Path) -> Known:
    weights = folder / WEIGHTS
    return Known(
        summary=local_model(folder),
        config=read_config(folder),
        record=read_record(folder) if (folder / RECORD).is_file() else None,
        sha256=file_sha256(weights) if weights.is_file() else None,
        files={path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()},
    )
