"""The page of a closer look at one model."""

from collections.abc import Iterator, Mapping

from cards.page.charts import deletion_chart, probe_chart
from cards.page.images import dominant_galleries
from cards.page.maps import LEGEND, Panel, View, maps, side
from cards.page.page import Page, folded, render, section
from cards.page.settings import settings_section
from cards.pictures.inspection import Image
from cards.tables.models import models_table
from cards.tables.structure import blocks_table, deletion_table, probes_table, spans_table
from cards.words.facts import MEANINGS, without_dominant_fact
from cards.words.legible import LONGEST_TEXT, legible, printable
from cards.words.verdict import inspection_verdict
from compare.result.inspection import Inspection


def inspection_html(inspection: Inspection, images: Mapping[int, Image]) -> bytes:
    """Render the page of a closer look at one model.

    Args:
        inspection: the result to show.
        images: images by index; the page shows the dominant ones.

    Returns:
        HTML as UTF-8, in a single file.
    """
    shown = legible(inspection)
    galleries = dominant_galleries("Layers", shown.inside.blocks, shown.dataset.classes, images)
    sections = (
        section("Model and images", models_table(shown.dataset, {"": shown.model})),
        section("Similarity of its layers", texts=[LEGEND], maps=_maps(shown)),
        section("Block structure", spans_table({"": shown.block_structure}), blocks_table({"": shown.inside})),
        section("Images that dominate block structure", *galleries, texts=filter(None, [without_dominant_fact(shown)])),
        section(
            "Which residual blocks it needs", deletion_chart(shown.deletion), folded(deletion_table(shown.deletion))
        ),
        section("What probes read from its layers", probe_chart(shown.probes), folded(probes_table(shown.probes))),
        settings_section({"": inspection.model}, inspection.dataset, inspection.settings, inspection.versions),
    )
    notes = tuple(printable(note, LONGEST_TEXT) for note in inspection.notes)
    return render(Page(shown.model.name, inspection_verdict(shown), notes, sections))


def _maps(shown: Inspection) -> dict[str, object]:
    panel = Panel("aa", "a", "a", shown.model.name)
    return maps({"a": side(shown.model, shown.block_structure)}, (panel,), tuple(_views(shown)))


def _views(shown: Inspection) -> Iterator[View]:
    inside, left = shown.inside, shown.without_dominant
    yield View("CKA", MEANINGS["CKA"], {"aa": shown.cka}, {"aa": shown.standard_error})
    yield View("PC1 alignment", MEANINGS["PC1 alignment"], {"aa": inside.pc1_alignment})
    first = "PC1" if inside.components == 1 else f"the first {inside.components} components"
    yield View(f"CKA without {first}", MEANINGS["CKA without components"], {"aa": inside.cka_without})
    if left is not None:
        name = f"CKA without {left.examples} dominant images"
        yield View(name, MEANINGS["CKA without images"], {"aa": left.cka})
