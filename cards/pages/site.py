"""The index page of a site about a whole zoo, and the card of its Space on the Hub."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations

from cards.page.page import Page, Place, render, section
from cards.page.pairs import pairs_map
from cards.pages.matrix import baselines, matrix_notes, matrix_settings
from cards.pages.tiles import matrix_tiles
from cards.tables.matrix import Pair, pairs_table
from cards.tables.models import models_table
from cards.tables.table import Link, Table
from cards.words.legible import legible, printable
from cards.words.markdown import plain_markdown
from cards.words.matrix_verdict import matrix_verdict
from compare.result.matrix import ModelMatrix
from compare.result.models import ModelResult
from zoo.record.training import TAG

# Files and folders of a site, relative to its folder. `pair_names` and `model_names` name the files in the folders.
INDEX, CARD, PLOTLY, NUMBERS = "index.html", "README.md", "plotly.js", "matrix.json"
PAIRS, MODELS = "pairs", "models"
LONGEST_FILE = 60
# Limit of the Hub.
LONGEST_DESCRIPTION = 60


@dataclass(frozen=True)
class Origin:
    """How a model was trained. Unknown values are None.

    Args:
        dataset: training dataset.
        subset: fraction of the training images, such as `1/4`.
        seed: seed of the training.
        depth: depth of a member of the CIFAR or ImageNet family.
        width: width of a member of these families.
    """

    dataset: str | None = None
    subset: str | None = None
    seed: int | None = None
    depth: int | None = None
    width: float | None = None


def site_title(result: ModelMatrix) -> str:
    """Title of the site."""
    return f"A zoo of {len(result.models)} models on {printable(result.dataset.name or 'images from memory', 40)}"


def index_html(result: ModelMatrix, origins: Sequence[Origin], names: Mapping[Pair, str]) -> bytes:
    """Render the index page.

    Args:
        result: the pairs of all models.
        origins: how each model was trained.
        names: file names of the pairs, from `pair_names`.

    Returns:
        HTML as UTF-8.
    """
    readable = legible(result)
    addresses = {pair: f"{PAIRS}/{name}.html" for pair, name in names.items()}
    of_models = [f"{MODELS}/{name}.html" for name in model_names(result.models)]
    sections = (
        section("Models", _models_table(readable, origins, of_models)),
        section(
            "What each pair shares",
            baselines(readable),
            pairs_table(readable, addresses, of_models),
            pairs=pairs_map(readable, addresses),
        ),
        matrix_settings(result),
    )
    page = Page(site_title(result), matrix_verdict(readable), matrix_notes(result), sections, matrix_tiles(readable))
    return render(page, Place(PLOTLY, (Link("All numbers as JSON", NUMBERS),)))


def model_place(name: str, models: int) -> Place:
    """Location of the page of a model in the site.

    Args:
        name: name of its files.
        models: number of models in the site.
    """
    return Place(f"../{PLOTLY}", (Link(f"All {models} models", f"../{INDEX}"), Link("Numbers as JSON", f"{name}.json")))


def pair_place(name: str, models: Sequence[ModelResult], pair: Pair) -> Place:
    """Location of the page of a pair in the site, with links to the pages of its models.

    Args:
        name: name of its files.
        models: all models of the site.
        pair: numbers of the two models.
    """
    place, names = model_place(name, len(models)), model_names(models)
    links = (Link(printable(models[i].name), f"../{MODELS}/{names[i]}.html") for i in pair)
    return replace(place, links=(*place.links, *links))


def model_names(models: Sequence[ModelResult]) -> tuple[str, ...]:
    """File names of the models, such as `resnet14-w1`: unique, short, and valid on all systems.

    Args:
        models: the models in order.
    """
    words = [re.sub(r"[^a-z0-9.]+", "-", model.name.lower()).strip("-.")[:LONGEST_FILE].strip("-.") for model in models]
    taken = {word for word in words if words.count(word) > 1} | {""}
    unique = [f"{word}-{i}".strip("-") if word in taken else word for i, word in enumerate(words, 1)]
    # A name with a number may equal the name of another model.
    if len(set(unique)) < len(unique):
        unique = [f"{i}-{word}".strip("-") for i, word in enumerate(words, 1)]
    return tuple(unique)


def pair_names(models: Sequence[ModelResult]) -> dict[Pair, str]:
    """File names of the pairs, such as `resnet14-w1--resnet74-w1`, from those of their models.

    Args:
        models: the models in order.
    """
    names = model_names(models)
    return {(a, b): f"{names[a]}--{names[b]}" for a, b in combinations(range(len(models)), 2)}


def site_card(result: ModelMatrix) -> str:
    """README.md of a static Space on the Hub.

    Args:
        result: the pairs of all models.
    """
    from huggingface_hub import SpaceCardData

    on_hub = [
        model.ref.removeprefix("hf://").partition("@")[0]
        for model in result.models
        if model.kind == "hub" and model.ref
    ]
    data = SpaceCardData(
        title=site_title(result),
        sdk="static",
        app_file=INDEX,
        models=on_hub or None,
        tags=[TAG],
        emoji="🔬",
        colorFrom="indigo",
        colorTo="yellow",
        pinned=False,
        short_description=f"Pairwise comparisons of {len(result.models)} models"[:LONGEST_DESCRIPTION],
    )
    title, verdict = plain_markdown(site_title(result)), plain_markdown(matrix_verdict(legible(result)))
    written_by = f"Written by `zoo site`. The site starts at `{INDEX}`."
    return f"---\n{data.to_yaml()}\n---\n\n# {title}\n\n{verdict}\n\n{written_by}\n"


def _models_table(result: ModelMatrix, origins: Sequence[Origin], of_models: Sequence[str]) -> Table | None:
    """The models, whose names lead to their pages, with how they were trained after the other columns."""
    table = models_table(result.dataset, {str(i): model for i, model in enumerate(result.models, 1)}, "#")
    if table is None:
        return None
    place = table.headings.index("model")
    rows = tuple(
        (*row[:place], Link(model.name, address), *row[place + 1 :], *_origin_cells(origin))
        for row, model, address, origin in zip(table.rows, result.models, of_models, origins, strict=True)
    )
    headings = (*table.headings, "data", *(field.name for field in fields(Origin)[1:]))
    return replace(table, headings=headings, rows=rows, sortable=True)


def _origin_cells(origin: Origin) -> tuple[str, ...]:
    width = "-" if origin.width is None else f"{origin.width:g}"
    dataset = printable(_dash(origin.dataset))
    return dataset, _dash(origin.subset), _dash(origin.seed), _dash(origin.depth), width


def _dash(value: str | int | None) -> str:
    return "-" if value is None else str(value)
