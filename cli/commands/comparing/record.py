"""`zoo record MODEL FILE`: trace one model for a comparison in another process."""

from pathlib import Path
from typing import Annotated

import typer

from cli.inputs.prepare import look_up, prepare
from cli.jobs.traces import Traces
from cli.terminal import options
from cli.terminal.analysis_options import SimilarityOptions
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible
from zoo.errors import ZooError


@expand_options
def record(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model folder or Hub id.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Trace to write.")],
    dataset: options.Dataset,
    *,
    images: options.ImageOptions,
    similarity: SimilarityOptions,
) -> None:
    """Trace one model for a comparison in another process.

    Without --layers, only predictions are traced.
    """
    with interruptible("nothing was written"):
        models, _ = look_up((model,), dataset, own_code=True)
        prepared = prepare(models, dataset, images, similarity.layers)
        traces = Traces(prepared, similarity.precision, similarity.passes, pool=similarity.pool)
        if traces.path(0, similarity.layers).name != file.name:
            raise ZooError(
                f"expected {model}, the images, and all versions to be the same as in the comparison, but some differ "
                "on this machine; all machines must share the folders and have the same versions installed."
            )
        traces.trace(0, similarity.layers, file)
