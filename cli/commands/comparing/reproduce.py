"""`zoo reproduce OUT`: test the claims of the paper on networks trained here."""

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.jobs.engine import Engine
from cli.jobs.sweep_state import State
from cli.report.deliver import HTML_START, PNG_START, Files, deliver
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import check_result_path, drawing, interruptible, is_quiet, say, show_path, write_result
from cli.train.study import train_study
from zoo.base.files import writing
from zoo.base.number_lists import decimals, fractions, whole_numbers
from zoo.base.sealed_folder import contents
from zoo.data.sources import identity
from zoo.errors import ZooError
from zoo.grid.study import PAPER, SMALL, StudyGrid

if TYPE_CHECKING:
    from compare.result.study import Reproduction


PAPER_PASSES = 10
# Names in the output folder.
PAGE, CLAIMS, MAPS, MODELS = "index.html", "claims.png", "maps.png", "models"


@expand_options
def reproduce(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for models, page, and pictures.")],
    dataset: options.Dataset = "digits",
    paper: Annotated[bool, typer.Option("--paper", help="Use the paper's own grid and passes; needs a GPU.")] = False,
    depths: Annotated[
        str | None, typer.Option(help="Depths at the smallest width.", show_default="14,38,74,110")
    ] = None,
    widths: Annotated[str | None, typer.Option(help="Widths at the smallest depth.", show_default="1,2,4")] = None,
    subsets: Annotated[
        str | None, typer.Option(help="Fractions of the training images.", show_default="1,1/2,1/4")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds of each network.", show_default="0-2")] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(min=0, metavar="HOURS", help="Stop training after this time, and test what is there."),
    ] = None,
    epochs: options.Epochs = None,
    device: options.Device = "auto",
    *,
    columns: options.ColumnOptions,
    engine: Engine,
    json_file: options.Json = None,
    verbosity: options.Verbosity,
) -> None:
    """Train a grid of networks and test the claims of the paper.

    Takes about an hour on two cores with the default dataset; an estimate of the time and the power of each test are
    printed first. Finished runs are skipped, so the same command continues after an interruption or a time limit.

    Example: zoo reproduce reproduction --jobs 2
    """
    Files(json_file).check()
    grid = _grid(PAPER if paper else SMALL, depths, widths, subsets, seeds)
    dataset = columns.of(dataset)
    identity(dataset, "train")
    state = State(grid.runs(dataset, {"epochs": epochs}), out / MODELS, grid.priority)
    _check_out(out)
    say(f"{len(state.runs)} networks in {state.root}, {len(state.finished)} already trained.")
    with interruptible("finished runs are kept. Run the same command to continue"):
        if state.left and time_limit != 0:
            _show_power(grid, state)
        train_study(state, dataset, device, engine, inf if time_limit is None else 3600 * time_limit)
        from cli.compute.study import measure

        result = measure(state, grid, dataset, PAPER_PASSES if paper else 1, device)
    _write(result, out, json_file)


def _show_power(grid: StudyGrid, state: State) -> None:
    """Print how likely this study is to show each claim, before hours are spent on it."""
    from rich.console import Console

    from cards.tables.study import power_table
    from cards.words.claims import power_verdict
    from cli.report.table import rich_table
    from compare.study.power import Cell, powers

    cells = [Cell(run.variant.depth, run.variant.width, str(run.subset), run.seed) for run in state.runs]
    expected = powers(cells, grid.base_depth, grid.base_width)
    if not is_quiet():
        Console(stderr=True).print(rich_table(power_table(expected)))
    if verdict := power_verdict(expected, len(grid.seeds)):
        say(verdict)


def _grid(grid: StudyGrid, depths: str | None, widths: str | None, subsets: str | None, seeds: str | None) -> StudyGrid:
    """Replace the values of a grid that options override."""
    if depths is not None:
        values = whole_numbers(depths, "--depths")
        grid = replace(grid, depths=values, base_depth=min(values), others=())
    if widths is not None:
        multipliers = decimals(widths, "--widths")
        grid = replace(grid, widths=multipliers, base_width=min(multipliers), others=())
    if subsets is not None:
        grid = replace(grid, subsets=fractions(subsets, "--subsets"))
    if seeds is not None:
        grid = replace(grid, seeds=whole_numbers(seeds, "--seeds"))
    return grid


def _check_out(out: Path) -> None:
    """Create the output folder, and check that no other files would be overwritten.

    Raises:
        ZooError: the folder cannot be written, or holds another page or picture.
    """
    with writing(out, "another folder"):
        out.mkdir(parents=True, exist_ok=True)
    for name, beginning in ((PAGE, HTML_START), (CLAIMS, PNG_START), (MAPS, PNG_START)):
        check_result_path(out / name, beginning)
    if contents(out) is not None:
        raise ZooError(f"{out} holds a site of `zoo site`; choose another folder.")
    for name in (CLAIMS, MAPS):
        # A picture does not say what wrote it; beside a page of this command it is from the same run.
        if (out / name).exists() and not (out / PAGE).exists():
            raise ZooError(f"{out / name} would be overwritten; move it, or choose another folder.")


def _write(result: "Reproduction", out: Path, json_file: Path | None) -> None:
    """Write the page, its pictures, and the JSON, and show the result."""
    with drawing("the maps"):
        from cards.pictures.study import maps_image

        maps = maps_image(result)
    write_result(out / MAPS, maps)
    deliver(result, Files(json_file, png=out / CLAIMS, html=out / PAGE), also=[out / MAPS])
    if str(json_file) != "-":
        show_path(out / PAGE)
