"""The page of several models: a map of all pairs, and the heatmaps of each pair."""

from dataclasses import replace

from cards.page.page import Page, Section, folded, render, section
from cards.page.pairs import layer_maps, pairs_map
from cards.page.settings import baseline_settings, command_line, exact_ref, settings_section
from cards.pages.tiles import matrix_tiles
from cards.tables.baseline import pairs_baseline_table
from cards.tables.matrix import pairs_table
from cards.tables.models import models_table
from cards.tables.table import Table
from cards.words.legible import LONGEST_TEXT, legible, printable
from cards.words.matrix_verdict import matrix_verdict
from compare.result.matrix import ModelMatrix

LAYERS = "Two models layer by layer"
# Of more pairs, the page shows the most similar ones.
MOST_ROWS = 2000
# A longer table would be far longer than the map beside it.
FEW_ROWS = 12


def matrix_html(result: ModelMatrix) -> bytes:
    """Render the page of several models.

    If the models have very many layers, the page shows a part of them, evenly spaced, so that it stays below 8 MB.

    Args:
        result: the result to show.

    Returns:
        HTML as UTF-8, in a single file.
    """
    readable = legible(result)
    sections = (
        section("Models", _models(readable)),
        section(
            "What each pair shares",
            baselines(readable),
            folded(pairs_table(readable), MOST_ROWS),
            pairs=pairs_map(readable),
        ),
        _layers(readable),
        matrix_settings(result),
    )
    title = f"{len(readable.models)} models: {readable.models[0].name}, ..."
    return render(Page(title, matrix_verdict(readable), matrix_notes(result), sections, matrix_tiles(readable)))


def matrix_notes(result: ModelMatrix) -> tuple[str, ...]:
    """The notes of a result, printable, except cautions, which are in its verdict."""
    return tuple(printable(note, LONGEST_TEXT) for note in result.notes if note not in result.cautions)


def matrix_settings(result: ModelMatrix) -> Section:
    """The section of the command, settings, and versions, with uncut names."""
    models = {str(number): model for number, model in enumerate(result.models, 1)}
    baseline = next((pair.baseline for pair in result.pairs if pair.baseline is not None), None)
    settings = result.settings | baseline_settings(baseline)
    command = command_line(("zoo", "matrix", *map(exact_ref, result.models)), result.dataset, settings)
    return settings_section(models, result.dataset, result.settings, result.versions, command)


def baselines(result: ModelMatrix) -> Table | None:
    """The table of baselines, which stands beside the map of pairs if it is short, and is folded otherwise."""
    table = pairs_baseline_table(result)
    return table if table and len(table.rows) <= FEW_ROWS else folded(table, MOST_ROWS)


def _models(result: ModelMatrix) -> Table | None:
    table = models_table(result.dataset, {str(i): model for i, model in enumerate(result.models, 1)}, "#")
    return table and replace(table, sortable=True)


def _layers(result: ModelMatrix) -> Section:
    drawn = layer_maps(result)
    if drawn is None:
        count = len(result.models)
        return section(
            LAYERS,
            texts=[f"The pairs of {count} models are too many for one page. Use `compare A B --html` for two of them."],
        )
    step = drawn["choice"]["step"]
    every = f" Only every {_ordinal(step)} layer is drawn, because there are so many pairs." if step > 1 else ""
    return section(LAYERS, texts=[f"White lines separate stages; grey cells have no value.{every}"], maps=drawn)


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
