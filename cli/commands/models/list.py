"""`zoo list`: list models in a folder and on the Hub."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.terminal.options import Json
from cli.terminal.output import interruptible, plain, plain_table, say, say_written, show_lines, write_result
from zoo.base.files import clean_name
from zoo.base.number_lists import fraction
from zoo.errors import UsageError, ZooError
from zoo.hub.catalog import Listed, check_folder, hub_models, local_models, matching
from zoo.model_folder.folder import MODELS

if TYPE_CHECKING:
    from rich.table import Table


def list_models(
    owner: Annotated[
        str | None,
        typer.Argument(metavar="OWNER", help="With --hub, list only models of this owner.", show_default=False),
    ] = None,
    hub: Annotated[
        bool, typer.Option("--hub", help="Include models on the Hub; --hub OWNER for those of one owner.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder that holds the models.")] = Path(MODELS),
    depth: Annotated[list[int] | None, typer.Option(help="Filter by depth; repeatable.", show_default=False)] = None,
    width: Annotated[list[float] | None, typer.Option(help="Filter by width; repeatable.", show_default=False)] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Filter by dataset; repeatable.", show_default=False)
    ] = None,
    subset: Annotated[
        list[str] | None,
        typer.Option(help="Filter by fraction of the training images; repeatable.", show_default=False),
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Filter by seed; repeatable.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of models per page.")] = 50,
    page: Annotated[int, typer.Option(min=1, help="Page to show.")] = 1,
    json_file: Json = None,
) -> None:
    """List local models and those published on the Hub.

    Of the Hub, only models that were published with `zoo push` are listed.

    Example: zoo list --hub me --depth 14
    """
    if owner is not None and not hub:
        raise UsageError(
            f"expected --hub before an owner, got {owner} alone; `zoo list --hub {owner}` lists its models."
        )
    if out != Path(MODELS):
        check_folder(out, "--out")
    subsets = [str(fraction(text)) for text in subset or ()]
    models, hub_error = list(local_models(out)), None
    if hub:
        try:
            models += _from_hub(owner)
        except ZooError as error:
            # Local models are still listed, but not written to a file, which would look complete.
            hub_error = error
            if json_file is not None:
                raise
    matches = matching(models, depth=depth, width=width, dataset=dataset, subset=subsets, seed=seed)
    models_on_page = matches[(page - 1) * limit : page * limit]
    if json_file is not None:
        write_result(
            json_file,
            (json.dumps({"models": [_printable(model) for model in models_on_page]}, indent=1) + "\n").encode(),
        )
        say_written(json_file)
    if str(json_file) != "-" and models_on_page:
        show_lines(_table(models_on_page))
    if hub_error is not None:
        raise hub_error
    if owner is not None and not any(model.kind == "hub" for model in models):
        say(f"{owner} has published no model with `zoo push`.")
    if matches and len(models_on_page) < len(matches):
        say(f"page {page} of {-(-len(matches) // limit)}; select with --page and --limit.")
    elif not matches:
        on_hub = f" or on the Hub{f' from {owner}' if owner else ''}" if hub else ""
        say(f"no matching models in {out}{on_hub}; `zoo train` makes one.")


def _printable(model: Listed) -> dict[str, object]:
    return asdict(model) | {"ref": clean_name(model.ref)}


def _from_hub(owner: str | None) -> list[Listed]:
    from rich.console import Console

    console = Console(stderr=True)
    with (
        interruptible("nothing was listed"),
        console.status("listing models on the Hub") if console.is_terminal else console,
    ):
        return list(hub_models(owner))


def _table(models: Sequence[Listed]) -> "Table":
    table = plain_table("", ("model", "data"), ("depth", "width", "seed", "test", "params"))
    table.add_column("commit")
    table.add_column("updated")
    table.padding = (0, 1, 0, 0)
    table.columns[0].overflow = "fold"
    for model in models:
        part = "" if model.subset in (None, "1") else f" {model.subset}"
        table.add_row(
            plain(f"{model.ref}{' (private)' if model.private else ''}"),
            plain(f"{model.dataset or '-'}{part}"),
            _or_dash(model.depth, "d"),
            _or_dash(model.width, "g"),
            _or_dash(model.seed, "d"),
            _or_dash(model.accuracy, ".1%"),
            short_count(model.parameters),
            plain((model.revision or "-")[:7]),
            plain((model.updated or "-")[:10]),
        )
    return table


def short_count(count: int | None) -> str:
    """Format a number of parameters with three digits, such as 175k."""
    if count is None:
        return "-"
    for scale, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        # Numbers of three digits that would round up to 1000 use the next letter.
        if count >= 0.9995 * scale:
            return f"{count / scale:.3g}{letter}"
    return str(count)


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
