"""`zoo site --out DIR`: write a static site about many models, and publish it as a Space."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.compute.matrix import check_several
from cli.compute.site import write_site
from cli.inputs.request import request
from cli.inputs.site_models import site_models
from cli.report.kinds import kind_of
from cli.terminal import options
from cli.terminal.analysis_options import BaselineOptions
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, plain, show, show_commit, show_path
from zoo.base.sealed_folder import check_site
from zoo.errors import UsageError
from zoo.model_folder.folder import check_writable

INTERRUPTED = "nothing was written, but finished results are cached. Run the same command to continue"


@expand_options
def site(
    arguments: Annotated[
        list[str] | None,
        options.model_argument(
            "[DIR] [M1 M2 ...]", "Folder of the site, unless --out names it; then model folders or Hub ids."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the site.", show_default=False)] = None,
    models: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Use all models in this folder.", show_default="models, unless models are named"
        ),
    ] = None,
    hub: Annotated[
        str | None, typer.Option(metavar="OWNER", help="Use all models of this owner on the Hub.", show_default=False)
    ] = None,
    dataset: options.ComparisonDataset = None,
    *,
    columns: options.ColumnOptions,
    images: options.ImageOptions,
    similarity: BaselineOptions,
    push_space: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Publish the site as a static Space on the Hub.", show_default=False),
    ] = None,
    private: options.Private = False,
    verbosity: options.Verbosity,
) -> None:
    """Write a static site with a page for each pair of models.

    The site works offline. Each model runs once.

    Example: zoo site --out my-zoo --models models --push-space me/my-zoo
    """
    folder, named, models = _sort(arguments or [], out, models)
    _check_options(named, models, hub, push_space, private)
    check_site(folder)
    check_writable(folder)
    with interruptible(INTERRUPTED):
        if push_space is not None:
            from zoo.hub.space import check_space

            check_space(push_space, private=private)
        public = push_space is not None and not private
        dataset = columns.of_optional(dataset)
        refs = named or site_models(models, hub, dataset, public)
        matrix = write_site(folder, request(refs, dataset, images, similarity.layers or "all"), similarity)
    show(plain(kind_of(matrix).verdict(matrix)))
    show_path(folder / "index.html")
    if push_space is not None:
        _push(folder, push_space, private)


def _sort(arguments: list[str], out: Path | None, models: Path | None) -> tuple[Path, list[str], Path | None]:
    """The folder of the site, the models that are named, and the folder of models."""
    if out is None and not arguments:
        raise UsageError("expected the folder of the site, got none; name it with --out DIR.")
    # `zoo site DIR --out FOLDER` stays valid from before there was --models: a site of one model makes no sense.
    if out is not None and len(arguments) == 1 and models is None:
        out, models = None, out
    return (Path(arguments[0]), arguments[1:], models) if out is None else (out, arguments, models)


def _check_options(
    named: Sequence[str], models: Path | None, hub: str | None, push_space: str | None, private: bool
) -> None:
    if sum((bool(named), models is not None, hub is not None)) > 1:
        raise UsageError("expected models by name, --models, or --hub, got several of them; choose one.")
    if private and push_space is None:
        raise UsageError("--private needs --push-space OWNER/NAME.")
    if named:
        check_several(named)


def _push(folder: Path, repo_id: str, private: bool) -> None:
    from zoo.hub.space import push_space

    with interruptible("the upload may be incomplete. Push again"):
        pushed = push_space(folder, repo_id, private=private)
    show_commit(pushed.url, pushed.commit, pushed.changed)
