"""`zoo sweep`: train every depth with every width, part of the data and seed, several at once."""

from pathlib import Path
from typing import Annotated

import typer

from cli.jobs.engine import Engine
from cli.jobs.sweep_state import State
from cli.report.deliver import Files
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, plain, say, show_lines, write_result
from cli.train.choice import Family, FamilyOption
from zoo.base.number_lists import decimals, fractions, whole_numbers
from zoo.data.sources import identity
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.grid.grid import grid


@expand_options
def sweep(
    family: FamilyOption = None,
    depths: Annotated[str | None, typer.Option(help="Such as 14,38,74.", show_default="14; 50 of imagenet")] = None,
    widths: Annotated[str, typer.Option(help="Such as 1,2,4.")] = "1",
    seeds: Annotated[str, typer.Option(help="Such as 0-9 or 0,3,5.")] = "0",
    subsets: Annotated[str, typer.Option(help="Parts of the training images, such as 1,1/4.")] = "1",
    dataset: options.Dataset = "digits",
    *,
    recipe: options.RecipeOptions,
    device: options.Device = "auto",
    engine: Engine,
    out: Annotated[Path, typer.Option(help="Folder that holds the models.")] = Path("models"),
    json_file: options.Json = None,
    verbosity: options.Verbosity,
) -> None:
    """Train every depth with every width, part of the data and seed, each run a process of its own.

    What is finished already is passed over, so the same command goes on after an interruption or a failure. For
    example: zoo sweep --depths 14,38,74 --widths 1,2,4 --seeds 0-9 --jobs 2
    """
    Files(json_file).check()
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
    say(f"{len(runs)} runs in {out}, {len(state.finished)} of them finished already.")
    with interruptible("what is finished is kept, and the same command goes on with the rest"):
        finish(state, device, engine)
    _tell(state, json_file)


def _tell(state: State, json_file: Path | None) -> None:
    """Everything that came of it, failures last.

    Raises:
        ZooError: some runs failed.
    """
    from cli.jobs.sweep_report import failures, sweep_json, tables

    if json_file is not None:
        write_result(json_file, sweep_json(state).encode())
    if str(json_file) != "-":
        for part in tables(state):
            show_lines(part)
        for line in failures(state):
            show_lines(plain(line))
    if state.failed:
        raise ZooError(
            f"{len(state.failed)} of {len(state.runs)} runs failed, as listed; the same command tries them again."
        )
