"""The page of a closer look at one model."""

from collections.abc import Iterator, Mapping

from cards.page.charts import deletion_chart, probe_chart
from cards.page.images import dominant_galleries
from cards.page.maps import LEGEND, Panel, View, maps, side
from cards.page.page import Page, Place, Section, folded, render, section
from cards.page.settings import command_line, exact_ref, settings_section
from cards.pages.tiles import inspection_tiles
from cards.pictures.inspection import Image
from cards.tables.models import models_table
from cards.tables.structure import blocks_table, deletion_table, probes_table, spans_table, thresholds_table
from cards.words.facts import MEANINGS, without_dominant_fact
from cards.words.legible import LONGEST_TEXT, legible, printable
from cards.words.verdict import inspection_verdict
from compare.result.inspection import Inspection


def inspection_html(inspection: Inspection, images: Mapping[int, Image], place: Place | None = None) -> bytes:
    """Render the page of a closer look at one model.

    Args:
        inspection: the result to show.
        images: images by index; the page shows the dominant ones.
        place: location in a site; None for a single file.

    Returns:
        HTML as UTF-8.
    """
    readable = legible(inspection)
    classes = readable.dataset.classes
    sections = (
        section(
            "Similarity of its layers",
            *dominant_galleries("Images that dominate layers", readable.inside.blocks, classes, images),
            models_table(readable.dataset, {"": readable.model}),
            texts=filter(None, [LEGEND, without_dominant_fact(readable)]),
            maps=_maps(readable),
            short="Similarity",
        ),
        section(
            "Block structure",
            spans_table({"": readable.block_structure}),
            thresholds_table({"": readable.inside}),
            blocks_table({"": readable.inside}),
        ),
        section(
            "Which residual blocks it needs",
            deletion_chart(readable.deletion),
            folded(deletion_table(readable.deletion)),
        ),
        section(
            "What probes read from its layers",
            probe_chart(readable.probes),
            folded(probes_table(readable.probes)),
            short="Linear probes",
        ),
        _again(inspection),
    )
    notes = tuple(printable(note, LONGEST_TEXT) for note in inspection.notes if note not in inspection.cautions)
    tiles = inspection_tiles(readable)
    return render(Page(readable.model.name, inspection_verdict(readable), notes, sections, tiles), place)


def _again(inspection: Inspection) -> Section:
    """The command that repeats the inspection, with its settings."""
    measured = (("deletion", bool(inspection.deletion)), ("probes", inspection.probes is not None))
    further = [name for name, is_measured in measured if is_measured]
    # Parts that are named replace those of the default.
    parts = [word for name in ("structure", "components", "dominant", *further) for word in ("--part", name)]
    words = ("zoo", "inspect", exact_ref(inspection.model), *(parts if further else ()))
    command = command_line(words, inspection.dataset, inspection.settings)
    models = {"": inspection.model}
    return settings_section(models, inspection.dataset, inspection.settings, inspection.versions, command)


def _maps(inspection: Inspection) -> dict[str, object]:
    panel = Panel("aa", "a", "a", inspection.model.name)
    return maps({"a": side(inspection.model, inspection.block_structure)}, (panel,), tuple(_views(inspection)))


def _views(inspection: Inspection) -> Iterator[View]:
    inside, left = inspection.inside, inspection.without_dominant
    yield View("CKA", MEANINGS["CKA"], {"aa": inspection.cka}, {"aa": inspection.standard_error})
    yield View("PC1 alignment", MEANINGS["PC1 alignment"], {"aa": inside.pc1_alignment})
    first = "PC1" if inside.components == 1 else f"the first {inside.components} components"
    yield View(f"CKA without {first}", MEANINGS["CKA without components"], {"aa": inside.cka_without})
    if left is not None:
        name = f"CKA without {left.examples} dominant images"
        yield View(name, MEANINGS["CKA without images"], {"aa": left.cka})
