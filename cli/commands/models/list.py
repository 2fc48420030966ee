"""`zoo list`: the models here and on the Hub, in one table."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.terminal.options import Json
from cli.terminal.output import interruptible, plain, plain_table, say, show_lines, write_result
from zoo.errors import ZooError
from zoo.hub.catalog import Listed, hub_models, local_models, matching

if TYPE_CHECKING:
    from rich.table import Table


def list_models(
    owner: Annotated[
        str | None, typer.Argument(metavar="OWNER", help="With --hub: of this owner only.", show_default=False)
    ] = None,
    hub: Annotated[bool, typer.Option("--hub", help="The models on the Hub too; --hub OWNER for one owner's.")] = False,
    out: Annotated[Path, typer.Option(help="Folder that holds the models of this machine.")] = Path("models"),
    depth: Annotated[list[int] | None, typer.Option(help="Only this depth; repeatable.", show_default=False)] = None,
    width: Annotated[list[float] | None, typer.Option(help="Only this width; repeatable.", show_default=False)] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Only this data set; repeatable.", show_default=False)
    ] = None,
    subset: Annotated[
        list[str] | None, typer.Option(help="Only this part of it; repeatable.", show_default=False)
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed; repeatable.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="Models on a page.")] = 50,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    json_file: Json = None,
) -> None:
    """List the models here, and those on the Hub that `zoo push` published.

    For example: zoo list --hub me --depth 14
    """
    if owner is not None and not hub:
        raise ZooError(f"expected --hub before an owner, got {owner} alone; `zoo list --hub {owner}` lists its models.")
    models, trouble = list(local_models(out)), None
    if hub:
        try:
            models += _from_hub(owner)
        except ZooError as error:
            # What is here can be shown all the same; a file would look whole.
            trouble = error
            if json_file is not None:
                raise
    found = matching(models, depth=depth, width=width, dataset=dataset, subset=subset, seed=seed)
    shown = found[(page - 1) * limit : page * limit]
    if json_file is not None:
        write_result(json_file, (json.dumps({"models": [asdict(model) for model in shown]}, indent=1) + "\n").encode())
    if str(json_file) != "-" and shown:
        show_lines(_table(shown))
    if trouble is not None:
        raise trouble
    if found and len(shown) < len(found):
        say(f"page {page} of {-(-len(found) // limit)}; --page and --limit choose.")
    elif not found:
        on_hub = f" or on the Hub{f' from {owner}' if owner else ''}" if hub else ""
        say(f"no such models in {out}{on_hub}; `zoo train` makes one.")


def _from_hub(owner: str | None) -> list[Listed]:
    from rich.console import Console

    console = Console(stderr=True)
    with interruptible("nothing was listed"), console.status("asking the Hub") if console.is_terminal else console:
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
            (model.revision or "-")[:7],
            (model.updated or "-")[:10],
        )
    return table


def short_count(count: int | None) -> str:
    """A number of parameters in three digits, such as 175k."""
    if count is None:
        return "-"
    for scale, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        # From here on, three digits round up to the next letter.
        if count >= 0.9995 * scale:
            return f"{count / scale:.3g}{letter}"
    return str(count)


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
