"""`zoo prune MODEL`: remove residual blocks from a trained variant."""

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, say
from cli.train.model_folder import show_folder
from cli.train.pruning import Pruning, prune_into
from zoo.errors import UsageError
from zoo.record.pruning import Pruned


@expand_options
def prune_model(
    model: Annotated[str, options.model_argument("MODEL", "A trained variant: model folder or Hub id.")],
    block_structure: Annotated[
        bool, typer.Option("--block-structure", help="Remove the residual blocks within block structure.")
    ] = False,
    remove: Annotated[
        str | None,
        typer.Option(metavar="BLOCKS", help="Remove these blocks, such as stage1.3,stage2.4.", show_default=False),
    ] = None,
    fine_tune: Annotated[
        int, typer.Option(min=0, metavar="EPOCHS", help="Epochs of fine-tuning, at a tenth of the learning rate.")
    ] = 0,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    out: Annotated[Path | None, typer.Option(help="Model folder to write.", show_default="models/NAME")] = None,
    force: options.Force = False,
    *,
    verbosity: options.Verbosity,
) -> None:
    """Remove residual blocks from a trained variant.

    Writes the pruned model as a model folder. Block structure is found on training images, and the first residual block
    of each structure is kept.

    Example: zoo prune models/resnet74-w1-digits-s0 --block-structure
    """
    if block_structure == (remove is not None):
        got = "both" if block_structure else "neither"
        raise UsageError(f"expected either --block-structure or --remove BLOCKS, got {got}; use one of them.")
    blocks = None if remove is None else [name.strip() for name in remove.split(",")]
    with interruptible("nothing was written"):
        folder, pruned = prune_into(out, model, Pruning(blocks, fine_tune, seed, device), force=force)
    _print_summary(pruned)
    show_folder(folder)


def _print_summary(pruned: Pruned) -> None:
    before, after, count = pruned.before, pruned.after, len(pruned.removed)
    say(
        f"{after.right} of {after.examples} test images right ({after.accuracy:.2%}) without {count} "
        f"{'block' if count == 1 else 'blocks'}, {before.right} ({before.accuracy:.2%}) with."
    )
    say(
        f"{after.parameters:,} parameters instead of {before.parameters:,}; {after.seconds_per_1000:.3g} s per 1,000 "
        f"images instead of {before.seconds_per_1000:.3g} on {pruned.device}."
    )
