"""Options that several commands share: one name, one meaning."""

from pathlib import Path
from typing import Annotated

import typer

Dataset = Annotated[str, typer.Option("--dataset", help="Data set.")]
BatchSize = Annotated[int | None, typer.Option("--batch-size", help="Images per minibatch.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Source of all randomness.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps, ...")]
Json = Annotated[
    Path | None, typer.Option("--json", help="Write the result as JSON; - for stdout.", show_default=False)
]
