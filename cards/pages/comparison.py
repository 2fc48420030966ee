"""A comparison of two models as a page."""

from collections.abc import Iterator, Mapping

from cards.page.charts import class_chart, reliability_chart
from cards.page.images import disagreed_gallery, dominant_galleries
from cards.page.maps import LEGEND, Panel, View, maps, side
from cards.page.page import Page, Place, Section, Table, render, section
from cards.page.tables import blocks_table, classes_table, confusions_table, models_table, reproduction, spans_table
from cards.pictures.inspection import Image
from cards.words.facts import disagreement_facts
from cards.words.legible import LONGEST_TEXT, chance, legible, printable
from cards.words.verdict import score, verdict
from compare.result.comparison import CKAResult, Comparison, NullResult
from compare.result.disagreement import Disagreement
from compare.result.inside import InsidePair
from compare.result.models import DatasetResult

MEANINGS = {
    "knn": "Share of the nearest neighbours that both layers agree on.",
    "rsa": "Spearman's correlation of the images' centred inner products.",
    "procrustes": "How well one layer can be rotated onto the other.",
}


def comparison_html(comparison: Comparison, images: Mapping[int, Image], place: Place | None = None) -> bytes:
    """A page with all that was found.

    Args:
        comparison: what to show.
        images: those predicted differently, and those that carry blocks, by their index.
        place: of the page among others; alone, it is one file.
    """
    shown = legible(comparison)
    a, b = shown.models.a, shown.models.b
    models = {"a": comparison.models.a, "b": comparison.models.b}
    sections = (
        section("Models and images", models_table(shown.dataset, {"a": a, "b": b})),
        section("How alike the layers are", texts=[_uncertainty(shown)], maps=_maps(shown)),
        _structure(shown),
        *_predictions(shown.disagreement, shown.dataset, images),
        _dominant(shown.inside, shown.dataset, images),
        reproduction(models, comparison.dataset, comparison.settings, comparison.versions),
    )
    notes = tuple(printable(note, LONGEST_TEXT) for note in comparison.notes)
    return render(Page(f"{a.name} and {b.name}", verdict(shown), notes, sections), place)


def _maps(shown: Comparison) -> dict[str, object]:
    models, spans = shown.models, shown.block_structure
    sides = {"a": side(models.a, spans.a), "b": side(models.b, spans.b)}
    panels = (
        Panel("aa", "a", "a", f"a: {models.a.name}"),
        Panel("bb", "b", "b", f"b: {models.b.name}"),
        Panel("ab", "a", "b", "a (up) with b (across)"),
    )
    return maps(sides, panels, tuple(_views(shown)))


def _views(shown: Comparison) -> Iterator[View]:
    cka, inside = shown.cka, shown.inside
    within = {"aa": cka.aa, "bb": cka.bb}
    meaning = "1 for representations equal up to rotation and scale, 0 on average for unrelated ones."
    yield View("CKA", meaning, {**within, "ab": cka.ab}, {"ab": cka.standard_error_ab})
    if cka.null is not None:
        meaning = "Cells of a with b that are not above what unrelated models would give are left out."
        yield View("CKA above chance", meaning, {**within, "ab": _above(cka, cka.null)}, {"ab": cka.standard_error_ab})
    for measure in shown.measures:
        cells = {"aa": measure.aa, "bb": measure.bb, "ab": measure.ab}
        yield View(measure.name, MEANINGS.get(measure.name, ""), cells, {"ab": measure.standard_error_ab})
    if inside is not None:
        first = "PC1" if inside.a.components == 1 else f"the first {inside.a.components} components"
        meaning = "What stays alike after each layer has lost what carries block structure."
        yield View(f"CKA without {first}", meaning, {"aa": inside.a.cka_without, "bb": inside.b.cka_without})
        meaning = "Squared cosine of two layers' first components: 1 if the same images carry both."
        yield View("PC1 alignment", meaning, {"aa": inside.a.pc1_alignment, "bb": inside.b.pc1_alignment})


def _above(cka: CKAResult, null: NullResult) -> tuple[tuple[float | None, ...], ...]:
    return tuple(
        tuple(cell if kept else None for cell, kept in zip(cells, row, strict=True))
        for cells, row in zip(cka.ab, null.above, strict=True)
    )


def _uncertainty(shown: Comparison) -> str:
    cka, settings = shown.cka, shown.settings
    return (
        f"CKA: {settings.get('estimator', 'estimated')} from {settings.get('minibatches', 'some')} minibatches of up "
        f"to {cka.batch_size} images, in {settings.get('precision', 'single precision')}. {LEGEND}"
    )


def _structure(shown: Comparison) -> Section:
    spans, inside = shown.block_structure, shown.inside
    return section(
        "Spans of alike layers",
        spans_table({"a": spans.a, "b": spans.b}),
        blocks_table({"a": inside.a, "b": inside.b}) if inside else None,
        texts=_scores(inside) if inside else (),
    )


def _scores(inside: InsidePair) -> Iterator[str]:
    for name, model in (("a", inside.a), ("b", inside.b)):
        yield f"Block structure score of {name}: {score(model.score)}."
    for shared in inside.shared_examples:
        a, b = inside.a.blocks[shared.a], inside.b.blocks[shared.b]
        yield (
            f"Layers {a.start} to {a.stop - 1} of a and {b.start} to {b.stop - 1} of b: {shared.overlap:.0%} of the "
            f"images that carry them are the same (by chance {shared.expected:.0%}; {chance(shared.p_value)})."
        )


def _predictions(found: Disagreement | None, dataset: DatasetResult, images: Mapping[int, Image]) -> Iterator[Section]:
    if found is None:
        return
    facts = Table("", ("fact", "value"), tuple(disagreement_facts(found)), 2)
    yield section("Class by class", class_chart(found), classes_table(found.classes))
    yield section("Confusions", confusions_table(found.confusions, dataset.classes))
    yield section("What the two are worth together", facts)
    yield section("Confidence", reliability_chart(found))
    yield section("Images on which they disagree", disagreed_gallery(found.examples, dataset.classes, images))


def _dominant(inside: InsidePair | None, dataset: DatasetResult, images: Mapping[int, Image]) -> Section:
    pairs = (("a", inside.a), ("b", inside.b)) if inside else ()
    galleries = [
        gallery
        for name, model in pairs
        for gallery in dominant_galleries(f"{name}: layers", model.blocks, dataset.classes, images)
    ]
    return section("Images that carry block structure", *galleries)
