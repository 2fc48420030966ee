"""The first page of a site on a whole zoo, and what the Hub reads of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations

from cards.page.page import Link, Page, Place, Table, render, section
from cards.page.pairs import Pair, pairs_map, pairs_table
from cards.pages.matrix import matrix_notes, matrix_reproduction
from cards.words.facts import images_fact
from cards.words.legible import legible, percent, printable
from cards.words.markdown import plain_markdown
from cards.words.matrix_verdict import matrix_verdict
from compare.result.matrix import ModelMatrix
from compare.result.models import ModelResult
from zoo.record.training import TAG

# Where the files of a site stand in it; pairs have names of their own.
INDEX, CARD, PLOTLY, NUMBERS, PAIRS = "index.html", "README.md", "plotly.js", "matrix.json", "pairs"
LONGEST_FILE = 60
# As the Hub allows it.
LONGEST_DESCRIPTION = 60


@dataclass(frozen=True)
class Origin:
    """What is known of a model beside what was found in it; None where it is not known.

    Args:
        dataset: that it was trained on.
        subset: fraction of the training images, such as `1/4`.
        seed: of its training.
        depth: of a member of one of the families.
        width: of a member of one of the families.
    """

    dataset: str | None = None
    subset: str | None = None
    seed: int | None = None
    depth: int | None = None
    width: float | None = None


def site_title(result: ModelMatrix) -> str:
    """What the site is called."""
    return f"A zoo of {len(result.models)} models on {printable(result.dataset.name or 'images from memory', 40)}"


def index_html(result: ModelMatrix, origins: Sequence[Origin], names: Mapping[Pair, str]) -> bytes:
    """The first page.

    Args:
        result: what every two models share.
        origins: of each model.
        names: of each pair's files, as `pair_names` gives them.
    """
    shown = legible(result)
    addresses = {pair: f"{PAIRS}/{name}.html" for pair, name in names.items()}
    sections = (
        section("Models", _models_table(shown, origins)),
        section("What every two models share", pairs_table(shown, addresses), pairs=pairs_map(shown, addresses)),
        matrix_reproduction(result),
    )
    page = Page(site_title(result), matrix_verdict(shown), matrix_notes(result), sections)
    return render(page, Place(PLOTLY, (Link("All numbers as JSON", NUMBERS),)))


def pair_place(name: str, models: int) -> Place:
    """Where the page of a pair stands.

    Args:
        name: of its files.
        models: how many there are in all.
    """
    return Place(f"../{PLOTLY}", (Link(f"All {models} models", f"../{INDEX}"), Link("Numbers as JSON", f"{name}.json")))


def pair_names(models: Sequence[ModelResult]) -> dict[Pair, str]:
    """Names for the files of each pair, such as `resnet14-w1--resnet74-w1`: short, and harmless everywhere.

    Args:
        models: in order.
    """
    words = [re.sub(r"[^a-z0-9.]+", "-", model.name.lower()).strip("-.")[:LONGEST_FILE].strip("-.") for model in models]
    taken = {word for word in words if words.count(word) > 1} | {""}
    unique = [f"{word}-{i}".strip("-") if word in taken else word for i, word in enumerate(words, 1)]
    # A numbered one may be another's own name.
    if len(set(unique)) < len(unique):
        unique = [f"{i}-{word}".strip("-") for i, word in enumerate(words, 1)]
    return {(a, b): f"{unique[a]}--{unique[b]}" for a, b in combinations(range(len(models)), 2)}


def site_card(result: ModelMatrix) -> str:
    """README.md of a static Space of the Hub.

    Args:
        result: what every two models share.
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
        short_description=f"What every two of {len(result.models)} models share"[:LONGEST_DESCRIPTION],
    )
    title, verdict = plain_markdown(site_title(result)), plain_markdown(matrix_verdict(legible(result)))
    return f"---\n{data.to_yaml()}\n---\n\n# {title}\n\n{verdict}\n\nWritten by `zoo site`; open `{INDEX}`.\n"


def _models_table(result: ModelMatrix, origins: Sequence[Origin]) -> Table:
    rows = tuple(
        (
            *(str(i), model.name, model.architecture, printable(_dash(origin.dataset)), _dash(origin.subset)),
            *(_dash(origin.seed), _dash(origin.depth), "-" if origin.width is None else f"{origin.width:g}"),
            *(f"{model.parameters:,}", str(len(model.layers)), percent(model.accuracy, ".2f")),
        )
        for i, (model, origin) in enumerate(zip(result.models, origins, strict=True), 1)
    )
    known = [field.name for field in fields(Origin)]
    headings = ("#", "model", "architecture", *("data", *known[1:]), "parameters", "layers", "accuracy %")
    return Table(images_fact(result.dataset), headings, rows, 5, sortable=True)


def _dash(value: str | int | None) -> str:
    return "-" if value is None else str(value)
