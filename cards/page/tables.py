"""Tables of a page."""

from collections.abc import Mapping, Sequence

from cards.page.page import Section, Table, section
from cards.words.facts import images_fact, surely_different
from cards.words.legible import LONGEST_TEXT, between, number, percent, printable, probability
from compare.result.base import Settings
from compare.result.disagreement import ClassRow, Confusion
from compare.result.inside import Block, Inside
from compare.result.models import DatasetResult, ModelResult
from compare.result.spans import BlockSpan


def models_table(dataset: DatasetResult, models: Mapping[str, ModelResult]) -> Table | None:
    """What was compared, on which images; by what the models are called, such as a and b."""
    rows = tuple(
        (side, m.name, m.architecture, f"{m.parameters:,}", str(len(m.layers)), f"{percent(m.accuracy, '.2f')} %")
        for side, m in models.items()
    )
    headings = ("", "model", "architecture", "parameters", "layers", "accuracy")
    return _sided(images_fact(dataset), headings, rows, 3)


def spans_table(spans: Mapping[str, Sequence[BlockSpan]]) -> Table | None:
    """Spans of layers that are alike, by model; None if there are none."""
    rows = tuple(
        (
            *(side, f"{span.first_layer} to {span.last_layer}", f"{span.start} to {span.stop - 1}", span.kind),
            *(str(span.stop - span.start), f"{span.mean_cka:.2f}"),
            *(number(span.pc1_fraction, ".2f"), number(span.pc1_alignment, ".2f")),
        )
        for side, every in spans.items()
        for span in every
    )
    caption = "PC1: variance on the first component; shared: squared cosine of the layers' first components."
    headings = ("", "layers", "numbers", "kind", "count", "CKA", "PC1", "shared")
    return _sided("Spans of layers that are alike", headings, rows, 4, caption)


def blocks_table(models: Mapping[str, Inside]) -> Table | None:
    """Block structure and how sure it is, by model; None if there is none."""
    rows = tuple((side, *_block(block)) for side, inside in models.items() for block in inside.blocks)
    headings = ("", "layers", "found again", "starts at", "ends at", "CKA left", "survives")
    caption = (
        "Found again: in so many half samples of the images; starts, ends: in 95 % of them; CKA left: without the "
        "first components, where a block survives if its layers are alike even then."
    )
    return _sided("Block structure, how sure, and what is left of it", headings, rows, 2, caption)


def _sided(
    title: str, headings: tuple[str, ...], rows: tuple[tuple[str, ...], ...], texts: int, caption: str = ""
) -> Table | None:
    """A table whose first column says which model, unless there is only one; None without rows."""
    if not any(row[0] for row in rows):
        headings, rows, texts = headings[1:], tuple(row[1:] for row in rows), texts - 1
    return Table(title, headings, rows, texts, caption) if rows else None


def _block(block: Block) -> tuple[str, ...]:
    return (
        f"{block.start} to {block.stop - 1}",
        "-" if block.found is None else f"{block.found:.0%}",
        between(block.start_low, block.start_high),
        between(block.stop_low, block.stop_high, after=1),
        number(block.mean_cka_without, ".2f"),
        "yes" if block.survives else "no",
    )


def classes_table(rows: Sequence[ClassRow], most: int = 100) -> Table | None:
    """Numbers by class, least likely by chance first; None without labels."""
    ordered = sorted(rows, key=lambda row: surely_different(row.p_value, row.difference))
    cells = tuple(
        (
            *(row.name, str(row.examples), percent(row.accuracy_a), percent(row.accuracy_b)),
            percent(row.difference, "+.1f"),
            f"{percent(row.ci_low, '+.1f')} to {percent(row.ci_high, '+.1f')}",
            *(str(row.only_a_right), str(row.only_b_right)),
            *(probability(p) for p in (row.p_value, row.p_adjusted, row.q_value)),
        )
        for row in ordered[:most]
    )
    numbers = ("images", "a %", "b %", "a - b", "95 % interval", "only a", "only b", "p", "p (Holm)", "p (BH)")
    caption = f"And {len(rows) - most} more, all in --json." if len(rows) > most else ""
    return Table("Classes as numbers", ("class", *numbers), cells, 1, caption, folded=True) if cells else None


def confusions_table(confusions: Sequence[Confusion], classes: Sequence[str]) -> Table | None:
    """Confusions that differ most; None if there are none."""
    rows = tuple(
        (
            *(classes[found.label], classes[found.prediction], str(found.count_a), str(found.count_b)),
            *(probability(found.p_value), probability(found.p_adjusted)),
        )
        for found in confusions
    )
    headings = ("class", "taken for", "by a", "by b", "p", "p (Holm)")
    return Table("Those that differ most", headings, rows, 2) if rows else None


def reproduction(
    models: Mapping[str, ModelResult], dataset: DatasetResult, settings: Settings, versions: Mapping[str, str]
) -> Section:
    """All that it takes to do it again.

    Args:
        models: by what they are called; with whole names.
        dataset: the images.
        settings: of the computation.
        versions: of the libraries.
    """
    facts = [("images", f"{dataset.name or 'from memory'}, {dataset.split or 'no split'}")]
    facts += [("fingerprint of the images", dataset.fingerprint)] if dataset.fingerprint else []
    for side, model in models.items():
        known = (("", model.ref), ("commit of ", model.revision), ("sha256 of ", model.sha256))
        facts += [(f"{what}model {side}".strip(), value) for what, value in known if value]
    facts += [(name, _setting(value)) for name, value in settings.items()]
    facts += [(name if name == "commit" else f"version of {name}", version) for name, version in versions.items()]
    rows = tuple((printable(name), printable(value, LONGEST_TEXT)) for name, value in facts)
    return section("To do it again", Table("Settings and versions", ("what", "value"), rows, 2, folded=True))


def _setting(value: object) -> str:
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)
