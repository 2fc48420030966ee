"""`zoo reproduce OUT`: the paper's claims beside what networks trained here show."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.jobs.engine import Engine
from cli.jobs.sweep_state import State
from cli.report.deliver import HTML_START, PNG_START, Files, deliver
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import check_result_path, interruptible, say, write_result
from zoo.base.files import writing
from zoo.base.number_lists import decimals, fractions, whole_numbers
from zoo.base.sealed_folder import contents
from zoo.data.sources import identity
from zoo.errors import ZooError
from zoo.grid.study import PAPER, SMALL, StudyGrid

if TYPE_CHECKING:
    from compare.result.base import Settings
    from compare.result.study import Reproduction


PAPER_PASSES = 10
# What stands in the folder, beside the folder of the models.
PAGE, CLAIMS, MAPS, MODELS = "index.html", "claims.png", "maps.png", "models"


@expand_options
def reproduce(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for models, page and pictures.")],
    dataset: options.Dataset = "digits",
    paper: Annotated[bool, typer.Option("--paper", help="The paper's own grid and passes; for a GPU.")] = False,
    depths: Annotated[str | None, typer.Option(help="At the least width.", show_default="14,38,74,110")] = None,
    widths: Annotated[str | None, typer.Option(help="At the least depth.", show_default="1,2,4")] = None,
    subsets: Annotated[str | None, typer.Option(help="Parts of the data.", show_default="1,1/2,1/4")] = None,
    seeds: Annotated[str | None, typer.Option(help="Of each.", show_default="0-2")] = None,
    epochs: options.Epochs = None,
    device: options.Device = "auto",
    *,
    engine: Engine,
    json_file: options.Json = None,
    verbosity: options.Verbosity,
) -> None:
    """Train a grid of networks, and write a page that puts each claim of the paper beside what they show.

    On digits that takes an hour on two cores; how long it will take is told first. What is finished already is passed
    over, so the same command goes on after an interruption. For example: zoo reproduce reproduction --jobs 2
    """
    Files(json_file).check()
    grid = _grid(PAPER if paper else SMALL, depths, widths, subsets, seeds)
    identity(dataset, "train")
    state = State(grid.runs(dataset, {"epochs": epochs}), out / MODELS)
    _check_out(out)
    say(f"{len(state.runs)} networks in {state.root}, {len(state.finished)} of them trained already.")
    with interruptible("what is finished is kept, and the same command goes on with the rest"):
        _train(state, dataset, device, engine)
        from cli.compute.study import measure

        folders = [state.folder(run) for run in state.runs]
        measured = measure(state.runs, folders, grid, dataset, PAPER_PASSES if paper else 1, device)
        result = _described(measured, state)
    _write(result, out, json_file)


def _grid(grid: StudyGrid, depths: str | None, widths: str | None, subsets: str | None, seeds: str | None) -> StudyGrid:
    """A grid, with what was chosen instead."""
    chosen: dict[str, Any] = {}
    if depths is not None:
        chosen |= {"depths": whole_numbers(depths, "--depths"), "others": ()}
        chosen["base_depth"] = min(chosen["depths"])
    if widths is not None:
        chosen |= {"widths": decimals(widths, "--widths"), "others": ()}
        chosen["base_width"] = min(chosen["widths"])
    if subsets is not None:
        chosen["subsets"] = fractions(subsets, "--subsets")
    if seeds is not None:
        chosen["seeds"] = whole_numbers(seeds, "--seeds")
    return replace(grid, **chosen)


def _check_out(out: Path) -> None:
    """Make the folder, and refuse one in which somebody else's files would be overwritten.

    Raises:
        ZooError: it cannot be written, or holds another page or picture.
    """
    with writing(out, "another folder"):
        out.mkdir(parents=True, exist_ok=True)
    for name, beginning in ((PAGE, HTML_START), (CLAIMS, PNG_START), (MAPS, PNG_START)):
        check_result_path(out / name, beginning)
    if contents(out) is not None:
        raise ZooError(f"{out} holds a site of `zoo site`; choose another folder.")
    for name in (CLAIMS, MAPS):
        # Pictures do not tell whose they are; beside this command's page they are its own.
        if (out / name).exists() and not (out / PAGE).exists():
            raise ZooError(f"{out / name} would be lost; move it, or choose another folder.")


def _train(state: State, dataset: str, device: str, engine: Engine) -> None:
    """Train what is not trained yet, and say first how long that will take.

    Raises:
        ZooError: some runs failed.
    """
    if not state.left:
        return
    from cli.jobs.sweep_report import finish

    say(_estimate(state, dataset, device, engine))
    finish(state, device, engine)
    if state.failed:
        run, error = next(iter(state.failed.items()))
        raise ZooError(
            f"{len(state.failed)} of {len(state.runs)} runs failed, such as {run.name}: {error} (log: "
            f"{state.log(run)}); the same command tries them again."
        )


def _estimate(state: State, dataset: str, device: str, engine: Engine) -> str:
    """How long the rest takes, from a few steps on this machine."""
    from cli.inputs.images import load
    from cli.jobs.sweep_report import duration
    from zoo.base.device import pick_device
    from zoo.grid.pace import measure_pace

    chosen = pick_device(device)
    pace = measure_pace(load(dataset, "train"), state.left[0].recipe, chosen)
    seconds = sum(map(pace.seconds, state.left))
    at_once = f"; --jobs {engine.jobs} divides that as far as cores allow" if engine.jobs and engine.jobs > 1 else ""
    return f"Training the others takes about {duration(seconds)} on this machine's {chosen}, one at a time{at_once}."


def _described(result: "Reproduction", state: State) -> "Reproduction":
    """With what is known of the training."""
    records = state.finished.values()
    own: Settings = {
        "training_seconds": round(sum(record.seconds for record in records), 1),
        "training_commits": ", ".join(sorted({record.versions.get("commit", "none") for record in records})),
        "training_devices": ", ".join(sorted({record.device for record in records})),
    }
    return replace(result, settings=result.settings | own, notes=(*result.notes, *_recipe_notes(state)))


def _recipe_notes(state: State) -> Iterator[str]:
    """What of the recipe changes with the size, and so may be what makes the difference."""
    rates = sorted({run.recipe.lr for run in state.runs})
    if len(rates) > 1:
        yield (
            f"the recipe of {state.runs[0].dataset} lowers the learning rate with the depth, from {rates[-1]:g} to "
            f"{rates[0]:g}, and the weight decay with it: what changes with the depth may be due to these."
        )


def _write(result: "Reproduction", out: Path, json_file: Path | None) -> None:
    """The page, its pictures, and what the terminal shows."""
    from cards.pictures.study import maps_image

    write_result(out / MAPS, maps_image(result))
    deliver(result, Files(json_file, png=out / CLAIMS, html=out / PAGE))
    if str(json_file) != "-":
        print(out / PAGE)
