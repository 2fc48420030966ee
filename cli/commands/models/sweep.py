"""`zoo sweep`: train a grid of depths, widths, subsets, and seeds."""

from pathlib import Path
from typing import Annotated

import typer

from cli.jobs.engine import Engine
from cli.jobs.sweep_state import State
from cli.report.deliver import Files
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, plain, say, say_written, show_lines, write_result
from cli.train.choice import Family, FamilyOption
from zoo.base.files import names_in
from zoo.base.number_lists import decimals, fractions, whole_numbers
from zoo.data.sources import identity
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.grid.grid import grid
from zoo.model_folder.folder import MODELS, check_writable


@expand_options
def sweep(
    family: FamilyOption = None,
    depths: Annotated[
        str | None, typer.Option(help="Depths, such as 14,38,74.", show_default="14; 50 for imagenet")
    ] = None,
    widths: Annotated[str, typer.Option(help="Width multipliers, such as 1,2,4.")] = "1",
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0-9 or 0,3,5.")] = "0",
    subsets: Annotated[str, typer.Option(help="Fractions of the training images, such as 1,1/4.")] = "1",
    dataset: options.Dataset = "digits",
    *,
    columns: options.ColumnOptions,
    recipe: options.RecipeOptions,
    device: options.Device = "auto",
    engine: Engine,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.01, metavar="MINUTES", help="Stop a run that takes longer; it has failed.", show_default="never"
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that holds the models.")] = Path(MODELS),
    json_file: options.Json = None,
    verbosity: options.Verbosity,
) -> None:
    """Train a grid of depths, widths, subsets, and seeds.

    Each run has its own process. Finished runs are skipped, so the same command continues after an interruption or a
    failure.

    Example: zoo sweep --depths 14,38,74 --widths 1,2,4 --seeds 0-9 --jobs 2
    """
    Files(json_file).check()
    dataset = columns.of(dataset)
    identity(dataset, "train")
    imagenet = family is Family.imagenet
    runs = grid(
        ImageNetResNet if imagenet else Variant,
        dataset,
        fractions(subsets, "--subsets"),
        whole_numbers(depths or ("50" if imagenet else "14"), "--depths"),
        decimals(widths, "--widths"),
        whole_numbers(seeds, "--seeds"),
        recipe.overrides,
        recipe.recipe,
    )
    from cli.jobs.sweep_report import finish

    state = State(runs, out)
    if names_in(out) is None:
        raise ZooError(f"cannot write {out}, which is not a folder; choose another --out.")
    check_writable(out)
    say(f"{len(runs)} {'run' if len(runs) == 1 else 'runs'} in {out}, {len(state.finished)} already finished.")
    with interruptible("finished runs are kept. Run the same command to continue"):
        finish(state, device, engine, timeout=timeout and 60 * timeout)
    _print_summary(state, json_file)


def _print_summary(state: State, json_file: Path | None) -> None:
    """Print the results, failures last.

    Raises:
        ZooError: some runs failed.
    """
    from cli.jobs.sweep_report import failures, sweep_json, tables

    if json_file is not None:
        write_result(json_file, sweep_json(state).encode())
        say_written(json_file)
    if str(json_file) != "-":
        for part in tables(state):
            show_lines(part)
        for line in failures(state):
            show_lines(plain(line))
    if state.failed:
        raise ZooError(
            f"{len(state.failed)} of {len(state.runs)} runs failed (see above); run the same command to retry them."
        )
