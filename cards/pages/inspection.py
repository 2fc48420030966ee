"""A look into one model as a page."""

from collections.abc import Iterator, Mapping

from cards.page.charts import deletion_chart, probe_chart
from cards.page.images import dominant_galleries
from cards.page.maps import LEGEND, Panel, View, maps, side
from cards.page.page import Page, render, section
from cards.page.tables import blocks_table, models_table, reproduction, spans_table
from cards.pictures.inspection import Image
from cards.words.legible import LONGEST_TEXT, legible, printable
from cards.words.verdict import inspection_verdict
from compare.result.inspection import Inspection


def inspection_html(found: Inspection, images: Mapping[int, Image]) -> bytes:
    """A page of one file, with all that was found.

    Args:
        found: what to show.
        images: those that carry blocks, by their index.
    """
    shown = legible(found)
    galleries = dominant_galleries("Layers", shown.inside.blocks, shown.dataset.classes, images)
    sections = (
        section("Model and images", models_table(shown.dataset, {"": shown.model})),
        section("How alike its layers are", texts=[LEGEND], maps=_maps(shown)),
        section("Spans of alike layers", spans_table({"": shown.block_structure}), blocks_table({"": shown.inside})),
        section("Images that carry block structure", *galleries, texts=_without(shown)),
        section("Which residual blocks it needs", deletion_chart(shown.deletion)),
        section("What can be read off its layers", probe_chart(shown.probes)),
        reproduction({"": found.model}, found.dataset, found.settings, found.versions),
    )
    notes = tuple(printable(note, LONGEST_TEXT) for note in found.notes)
    return render(Page(shown.model.name, inspection_verdict(shown), notes, sections))


def _maps(shown: Inspection) -> dict[str, object]:
    panel = Panel("aa", "a", "a", shown.model.name)
    return maps({"a": side(shown.model, shown.block_structure)}, (panel,), tuple(_views(shown)))


def _views(shown: Inspection) -> Iterator[View]:
    inside, left = shown.inside, shown.without_dominant
    meaning = "1 for representations equal up to rotation and scale, 0 on average for unrelated ones."
    yield View("CKA", meaning, {"aa": shown.cka}, {"aa": shown.standard_error})
    meaning = "Squared cosine of two layers' first components: 1 if the same images carry both."
    yield View("PC1 alignment", meaning, {"aa": inside.pc1_alignment})
    first = "PC1" if inside.components == 1 else f"the first {inside.components} components"
    meaning = "What stays alike after each layer has lost what carries block structure."
    yield View(f"CKA without {first}", meaning, {"aa": inside.cka_without})
    if left is not None:
        yield View(f"CKA without {left.examples} dominant images", "CKA on all other images.", {"aa": left.cka})


def _without(shown: Inspection) -> Iterator[str]:
    left = shown.without_dominant
    if left is not None:
        yield (
            f"Without the {left.examples} images that carry its blocks ({left.share:.0%}), its block structure score "
            f"is {left.score:.2f} instead of {shown.inside.score.score:.2f}."
        )
