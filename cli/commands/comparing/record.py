"""`zoo record MODEL FILE`: run one model alone and keep what a comparison needs."""

from pathlib import Path
from typing import Annotated

import typer

from cli.inputs.prepare import look_up, prepare
from cli.jobs.traces import Traces
from cli.terminal import options
from cli.terminal.output import interruptible
from zoo.errors import ZooError


def record(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model folder or Hub id.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where a comparison will look for it.")],
    dataset: options.Dataset,
    layers: Annotated[str | None, typer.Option(help="As in a comparison.", show_default="predictions alone")] = None,
    split: options.Split = "test",
    max_examples: options.MaxExamples = None,
    batch_size: options.BatchSize = None,
    passes: options.Passes = 1,
    precision: options.Precision = "fp32",
    seed: options.Seed = 0,
    device: options.Device = "auto",
) -> None:
    """Run one model alone, and keep what it gives, as a comparison in another process asks for it."""
    with interruptible("nothing was kept"):
        found, _ = look_up((model,), dataset)
        prepared = prepare(
            found,
            dataset=dataset,
            split=split,
            max_examples=max_examples,
            batch_size=batch_size,
            seed=seed,
            device=device,
        )
        traces = Traces(prepared, precision, passes)
        if traces.path(0, layers).name != file.name:
            raise ZooError(
                f"expected {model}, the images and all versions as the comparison has them, got others here; all "
                "machines must share the folders, and have the same versions installed."
            )
        traces.trace(0, layers, file)
