"""The page of a comparison of two models."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cards.page.charts import class_chart, reliability_chart
from cards.page.images import MOST_DISAGREED, disagreed_gallery, dominant_galleries, left_out_gallery
from cards.page.maps import LEGEND, Panel, View, maps, side
from cards.page.page import Page, Place, Section, folded, render, section
from cards.page.settings import baseline_settings, command_line, exact_ref, settings_section
from cards.page.tiles import comparison_tiles
from cards.pictures.heatmaps import dots
from cards.pictures.inspection import Image
from cards.tables.baseline import baseline_table
from cards.tables.models import models_table
from cards.tables.predictions import (
    DISAGREED,
    classes_table,
    confusions_table,
    disagreed_table,
    predictions_table,
    reliability_table,
    replacements_table,
)
from cards.tables.structure import LEFT_OUT, blocks_table, left_out_table, spans_table, thresholds_table
from cards.words.facts import MEANINGS, block_scores_facts, dots_fact, estimator_fact
from cards.words.legible import counted, legible
from cards.words.verdict import verdict
from compare.result.comparison import CKAResult, Comparison, NullResult
from compare.result.disagreement import Disagreement
from compare.result.models import DatasetResult

# The JSON holds the other classes and images.
MOST_ROWS = 100


def comparison_html(comparison: Comparison, images: Mapping[int, Image], place: Place | None = None) -> bytes:
    """Render the page of a comparison.

    Args:
        comparison: the result to show.
        images: images by index; the page shows those predicted differently and the dominant ones.
        place: location in a site; None for a single file.

    Returns:
        HTML as UTF-8.
    """
    readable = legible(comparison)
    a, b = readable.models.a, readable.models.b
    sections = (
        _disagreed(readable.disagreement, readable.dataset, images),
        _layers(readable, images),
        _models(readable),
        _structure(readable, images),
        _predictions(readable.disagreement, readable.dataset),
        _again(comparison),
    )
    notes = tuple(note for note in readable.notes if note not in readable.cautions)
    title, tiles = f"{a.name} and {b.name}", comparison_tiles(readable)
    return render(Page(title, verdict(readable), notes, sections, tiles), place)


def _layers(comparison: Comparison, images: Mapping[int, Image]) -> Section:
    without, classes = comparison.cka.without_dominant, comparison.dataset.classes
    left_out = left_out_table(without, classes)
    return section(
        "Similarity of the layers",
        left_out_gallery(without, classes, images) if without and left_out else None,
        folded(left_out and replace(left_out, title=f"{LEFT_OUT}, as a table")),
        texts=[f"{estimator_fact(comparison)} {LEGEND}"],
        maps=_maps(comparison),
        short="Layers",
    )


def _maps(comparison: Comparison) -> dict[str, object]:
    models, spans = comparison.models, comparison.block_structure
    sides = {"a": side(models.a, spans.a), "b": side(models.b, spans.b)}
    panels = (
        Panel("aa", "a", "a", f"a: {models.a.name}"),
        Panel("bb", "b", "b", f"b: {models.b.name}"),
        Panel("ab", "a", "b", "a (up) with b (across)"),
    )
    return maps(sides, panels, tuple(_views(comparison)))


def _views(comparison: Comparison) -> Iterator[View]:
    cka, inside = comparison.cka, comparison.inside
    within = {"aa": cka.aa, "bb": cka.bb}
    without_images = cka.without_dominant
    places = dots(without_images.changed) if without_images else []
    meaning = f"{MEANINGS['CKA']} {dots_fact(without_images)}" if without_images and places else MEANINGS["CKA"]
    yield View("CKA", meaning, {**within, "ab": cka.ab}, {"ab": cka.standard_error_ab}, {"ab": places})
    if without_images is not None:
        name, meaning = f"CKA without {counted(without_images.count, 'image')}", MEANINGS["CKA without dominant images"]
        yield View(name, meaning, {"ab": without_images.ab})
    if cka.null is not None:
        name, cells = "CKA above chance", {**within, "ab": _above(cka, cka.null)}
        yield View(name, MEANINGS[name], cells, {"ab": cka.standard_error_ab})
    for measure in comparison.measures:
        cells = {"aa": measure.aa, "bb": measure.bb, "ab": measure.ab}
        yield View(measure.name, MEANINGS.get(measure.name, ""), cells, {"ab": measure.standard_error_ab})
    if inside is not None:
        first = "PC1" if inside.a.components == 1 else f"the first {inside.a.components} components"
        without = {"aa": inside.a.cka_without, "bb": inside.b.cka_without}
        yield View(f"CKA without {first}", MEANINGS["CKA without components"], without)
        alignment = {"aa": inside.a.pc1_alignment, "bb": inside.b.pc1_alignment}
        yield View("PC1 alignment", MEANINGS["PC1 alignment"], alignment)


def _above(cka: CKAResult, null: NullResult) -> tuple[tuple[float | None, ...], ...]:
    return tuple(
        tuple(cell if is_above else None for cell, is_above in zip(cells, row, strict=True))
        for cells, row in zip(cka.ab, null.above, strict=True)
    )


def _models(comparison: Comparison) -> Section:
    a, b = comparison.models.a, comparison.models.b
    baseline = comparison.baseline
    title = "Models and untrained copies" if baseline else "Models and images"
    table = models_table(comparison.dataset, {"a": a, "b": b})
    return section(title, table, baseline_table(baseline), short="Models")


def _structure(comparison: Comparison, images: Mapping[int, Image]) -> Section:
    spans, inside = comparison.block_structure, comparison.inside
    models = {"a": inside.a, "b": inside.b} if inside else {}
    galleries = (
        gallery
        for label, model in models.items()
        for gallery in dominant_galleries(
            f"Images that dominate {label}: layers", model.blocks, comparison.dataset.classes, images
        )
    )
    return section(
        "Block structure",
        spans_table({"a": spans.a, "b": spans.b}),
        thresholds_table(models),
        blocks_table(models),
        *galleries,
        texts=block_scores_facts(inside) if inside else (),
    )


def _disagreed(disagreement: Disagreement | None, dataset: DatasetResult, images: Mapping[int, Image]) -> Section:
    if disagreement is None:
        return Section("")
    gallery = disagreed_gallery(disagreement, dataset.classes, images)
    table = disagreed_table(disagreement, dataset.classes)
    shown = folded(table, MOST_ROWS) if gallery else table and table.head(MOST_DISAGREED)
    return section(DISAGREED, gallery, shown, short="Images")


def _predictions(disagreement: Disagreement | None, dataset: DatasetResult) -> Section:
    parts = (
        (
            class_chart(disagreement),
            predictions_table(disagreement),
            reliability_chart(disagreement),
            confusions_table(disagreement.confusions, dataset.classes),
            replacements_table(disagreement, dataset.classes),
            folded(classes_table(disagreement.classes), MOST_ROWS),
            folded(reliability_table(disagreement)),
        )
        if disagreement
        else ()
    )
    return section("Predictions", *parts)


def _again(comparison: Comparison) -> Section:
    a, b = comparison.models.a, comparison.models.b
    settings = comparison.settings | baseline_settings(comparison.baseline)
    command = command_line(("compare", exact_ref(a), exact_ref(b)), comparison.dataset, settings)
    return settings_section({"a": a, "b": b}, comparison.dataset, comparison.settings, comparison.versions, command)
