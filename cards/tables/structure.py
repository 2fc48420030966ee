"""Tables of what lies inside a model: block structure, dominant images, deleted blocks, and probes."""

from collections.abc import Mapping, Sequence

from cards.tables.table import Cell, Styled, Table, by_model
from cards.words.facts import DELETION_CAPTION, class_name, dominant_fact, probes_caption, source_cells
from cards.words.legible import between, number
from compare.result.comparison import CKAWithoutDominant
from compare.result.inside import Block, DominantExample, Inside
from compare.result.inspection import DeletedBlocks, ProbeResult, ProbeRow
from compare.result.spans import BlockSpan, counting_spans

TITLE = "Spans of similar layers"
LEFT_OUT = "Images that dominate CKA of a with b"
OF_OUTPUTS = (
    "In models with residual blocks, spans are found on the outputs of these blocks alone, and CKA, PC1, and component "
    "are about these outputs. The spans of all layers are in --json."
)


def spans_table(spans: Mapping[str, Sequence[BlockSpan]], residual_blocks: bool = True) -> Table | None:
    """Spans of similar layers that count, or None if there are none.

    Args:
        spans: the spans of each model by its label; a single model has the label "".
        residual_blocks: whether to count the residual blocks in each span, instead of its layers.
    """
    counting = {label: counting_spans(of_model) for label, of_model in spans.items()}
    rows = tuple((label, *_span_cells(span)) for label, of_model in counting.items() for span in of_model)
    headings = ("", "layers", "numbers", "kind", "count", "blocks", "CKA", "PC1", "same first component")
    caption = (
        "CKA: mean between these layers; PC1: share of variance on the first principal "
        "component; same first component: squared cosine between those of two of these layers."
    )
    if any(span.layers == "blocks" for of_model in counting.values() for span in of_model):
        caption += " " + OF_OUTPUTS
    if residual_blocks:
        table = Table(TITLE, headings, rows, 4, f"blocks: number of residual blocks; {caption}").drop("count")
    else:
        table = Table(TITLE, headings, rows, 4, f"count: number of layers; {caption}").drop("blocks")
    return by_model(table)


def _span_cells(span: BlockSpan) -> tuple[Cell, ...]:
    return (
        f"{span.first_layer} to {span.last_layer}",
        f"{span.start} to {span.stop - 1}",
        Styled(span.kind, "strong") if span.kind == "block structure" else "as in any network",
        str(span.stop - span.start),
        number(span.residual_blocks, "d"),
        f"{span.mean_cka:.2f}",
        number(span.pc1_fraction, ".2f"),
        number(span.pc1_alignment, ".2f"),
    )


def thresholds_table(models: Mapping[str, Inside]) -> Table | None:
    """Score and number of blocks for several thresholds, or None if no model has block structure at any of them.

    Args:
        models: the closer look at each model by its label; a single model has the label "".
    """
    curves = {label: inside.score.curve for label, inside in models.items()}
    if not any(at.score for curve in curves.values() for at in curve):
        return None
    rows = tuple(
        row
        for label, curve in curves.items()
        for row in (
            (label, "score", *(f"{at.score:.2f}" for at in curve)),
            (label, "blocks", *(str(at.blocks) for at in curve)),
        )
    )
    thresholds = tuple(f"{at.threshold:g}" for at in next(iter(curves.values())))
    caption = "The threshold is the mean CKA above which layers count as similar."
    return by_model(Table("Block structure by threshold", ("", "threshold", *thresholds), rows, 2, caption))


def blocks_table(models: Mapping[str, Inside]) -> Table | None:
    """Block structure with its uncertainty and its cause, or None if there is none.

    Args:
        models: the closer look at each model by its label; a single model has the label "".
    """
    rows = tuple((label, *_block_cells(block)) for label, inside in models.items() for block in inside.blocks)
    headings = ("", "layers", "recovered", "starts at", "ends at", "CKA left", "survives")
    caption = (
        "recovered: share of random halves of the images that show it too; starts at, ends at: 95 % intervals from "
        "these halves; CKA left: CKA without the first components; survives: whether its layers are similar even then."
    )
    return by_model(Table("Uncertainty and cause of block structure", headings, rows, 2, caption))


def _block_cells(block: Block) -> tuple[str, ...]:
    return (
        f"{block.start} to {block.stop - 1}",
        number(block.found, ".0%"),
        between(block.start_low, block.start_high),
        between(block.stop_low, block.stop_high, after=1),
        number(block.mean_cka_without, ".2f"),
        "yes" if block.survives else "no",
    )


def dominant_table(block: Block, classes: Sequence[str]) -> Table:
    """The images that dominate the first component of a block.

    Args:
        block: the block structure.
        classes: class names.
    """
    title = f"Images that dominate layers {block.start} to {block.stop - 1}"
    return _dominant_table(title, block.dominant.examples, classes, dominant_fact(block.dominant))


def left_out_table(without: CKAWithoutDominant | None, classes: Sequence[str]) -> Table | None:
    """The images that dominate CKA between two models, or None if no cell changes much without them.

    Args:
        without: CKA without these images.
        classes: class names.
    """
    if without is None or not without.changed_cells:
        return None
    caption = (
        f"The most dominant of the {without.count} images left out, one in {1 / without.share:.0f} of every minibatch. "
        "PC1, norm: share of the squared scores on the first component, and of the squared norms, in the image's "
        "minibatch, mean over all layers of both models."
    )
    return _dominant_table(LEFT_OUT, without.examples, classes, caption)


def _dominant_table(title: str, examples: Sequence[DominantExample], classes: Sequence[str], caption: str) -> Table:
    rows = tuple(
        (
            str(example.index),
            class_name(classes, example.label),
            *source_cells(example),
            f"{example.pc1_share:.1%}",
            f"{example.norm_share:.1%}",
        )
        for example in examples
    )
    headings = ("image", "class", "file", "row", "PC1", "norm")
    return Table(title, headings, rows, 3, caption).drop_empty("file", "row")


def deletion_table(rows: Sequence[DeletedBlocks]) -> Table | None:
    """Accuracy without the last residual blocks of each stage, or None if it was not measured."""
    if not rows:
        return None
    stages = tuple(dict.fromkeys(row.stage for row in rows))
    accuracy = {(row.stage, row.removed): row.right / row.examples for row in rows}
    cells = tuple(
        (str(removed), *(number(accuracy.get((stage, removed)), ".1%") for stage in stages))
        for removed in range(max(row.removed for row in rows) + 1)
    )
    title = "Accuracy without the last residual blocks of a stage"
    return Table(title, ("blocks removed", *stages), cells, 0, DELETION_CAPTION)


def probes_table(probes: ProbeResult | None) -> Table | None:
    """Accuracy of linear probes before and after each residual addition, or None if there are no probes."""
    if probes is None:
        return None
    by_place = {(row.layer, row.kind): row for row in probes.probes}
    rows = tuple(
        (layer, *_probe_cells(by_place.get((layer, "pre"))), *_probe_cells(by_place.get((layer, "post"))))
        for layer in dict.fromkeys(row.layer for row in probes.probes)
    )
    headings = ("layer", "before", "95 % interval", "after", "95 % interval")
    title = "Linear probes: test accuracy from the features before and after each residual addition"
    return Table(title, headings, rows, 1, probes_caption(probes))


def _probe_cells(row: ProbeRow | None) -> tuple[str, str]:
    if row is None or row.low is None or row.high is None:
        return "-", "-"
    return number(row.accuracy, ".1%"), f"{row.low:.1%} to {row.high:.1%}"
