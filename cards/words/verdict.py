"""Summaries of a comparison and of an inspection in plain English."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from cards.words.facts import blocks_fact, rests_on_fact, score_fact, score_interval_fact
from cards.words.legible import Names, counted, short_names
from cards.words.prediction_verdict import prediction_verdict
from compare.result.base import Matrix
from compare.result.comparison import BaselineSide, Comparison
from compare.result.inside import BlockScore, Inside
from compare.result.inspection import Inspection
from compare.result.spans import BlockSpan, block_structures
from compare.structure.layer_names import blocks_of


def verdict(comparison: Comparison) -> str:
    """Summary in a few sentences: cautions, predictions, similarity of the layers, and block structure.

    Args:
        comparison: the result to summarize.
    """
    return " ".join(_sentences(comparison))


def _sentences(comparison: Comparison) -> Iterator[str]:
    models, spans = comparison.models, comparison.block_structure
    baseline, ab = comparison.baseline, comparison.cka.ab
    a, b = short_names(models.a.name, models.b.name)
    yield from comparison.cautions
    yield from prediction_verdict(comparison)
    if baseline is None or not best_matches(ab):
        yield _likeness(ab, a, b)
    else:
        yield _beside_untrained(a, b, ab, baseline.a)
        yield _beside_untrained(b, a, tuple(zip(*ab, strict=True)), baseline.b)
    if rests_on := rests_on_fact(comparison.cka, Names(a, b)):
        yield rests_on
    inside = comparison.inside
    yield structure(a, spans.a, models.a.layers, inside.a.score if inside else None)
    yield structure(b, spans.b, models.b.layers, inside.b.score if inside else None)


def _likeness(ab: Matrix, a: str, b: str) -> str:
    """Best matches in both directions: high if the other model has a similar layer at any depth."""
    in_b, in_a = best_matches(ab), best_matches(tuple(zip(*ab, strict=True)))
    if not in_b:
        return f"No layer of {a} can be compared with a layer of {b}."
    return (
        f"With the most similar layer of the other model, layers of {a} have a CKA of {fmean(in_b):.2f} on average "
        f"({min(in_b):.2f} to {max(in_b):.2f}), and layers of {b} have {fmean(in_a):.2f} "
        f"({min(in_a):.2f} to {max(in_a):.2f})."
    )


def _beside_untrained(one: str, other: str, cka: Matrix, side: BaselineSide | None) -> str:
    """Best matches of one model (rows) in the other (columns), and whether they are due to training."""
    best_match = fmean(best_matches(cka)) if side is None else side.best_match
    match = f"Layers of {one} match layers of {other} with a CKA of {best_match:.2f} on average"
    if side is None:
        return f"{match}."
    if side.low is None or side.high is None:
        return f"{match}, and layers of an untrained copy of {other} with {side.untrained:.2f}."
    if side.low > 0:
        return (
            f"{match}, and layers of an untrained copy of {other} with {side.untrained:.2f}: training explains "
            f"{side.above:.2f} ({side.low:.2f} to {side.high:.2f})."
        )
    similar = "as similar within the error" if side.high >= 0 else "more similar"
    return (
        f"{match}, but an untrained copy of {other} is {similar} ({side.untrained:.2f}; difference {side.above:z.2f}, "
        f"{side.low:z.2f} to {side.high:z.2f}), so this similarity does not show that they learned the same."
    )


def best_matches(cka: Matrix) -> list[float]:
    """The largest CKA of every row that has a value."""
    return [max(cells) for row in cka if (cells := [cell for cell in row if cell is not None])]


def structure(model: str, spans: Sequence[BlockSpan], layers: Sequence[str], score: BlockScore | None = None) -> str:
    """A sentence about the block structure of a model.

    Args:
        model: the subject of the sentence, such as `a` or `It`.
        spans: spans of similar layers of the model.
        layers: layer names of the model.
        score: its block structure score; None if it was not computed.
    """
    blocks = block_structures(spans)
    if score is None:
        return f"{model} has {f'block structure in {_extent(blocks, layers)}' if blocks else 'no block structure'}."
    if not any((score.score, *(at.score for at in score.curve))):
        return f"{model} has no block structure."
    where = f", covering {_extent(blocks, layers)}" if blocks else ""
    return f"{model} has a block structure score of {score_fact(score)} and {blocks_fact(score, len(blocks))}{where}."


def _extent(blocks: Sequence[BlockSpan], layers: Sequence[str]) -> str:
    """How much of a model is block structure, and where."""
    places = ", ".join(f"{span.first_layer} to {span.last_layer}" for span in blocks)
    inside, total, what = covered(blocks, layers)
    how_many = f"{inside} of its {total}" if what == "residual blocks" else f"{inside / total:.0%} of its"
    return f"{how_many} {what} ({places})"


def covered(blocks: Sequence[BlockSpan], layers: Sequence[str]) -> tuple[int, int, str]:
    """How many residual blocks or layers of a model are in block structure, of how many, and which of the two.

    Args:
        blocks: the block structures of the model, at least one.
        layers: layer names of the model.
    """
    if blocks[0].layers == "blocks":
        return sum(span.residual_blocks or 0 for span in blocks), len(blocks_of(layers)), "residual blocks"
    return sum(span.stop - span.start for span in blocks), len(layers), "layers"


def inspection_verdict(inspection: Inspection) -> str:
    """Summary in a few sentences: cautions, block structure, what is left without its cause, and dominant images.

    Args:
        inspection: the result to summarize.
    """
    return " ".join(_inspection_sentences(inspection))


def _inspection_sentences(inspection: Inspection) -> Iterator[str]:
    inside = inspection.inside
    yield from inspection.cautions
    yield structure("It", inspection.block_structure, inspection.model.layers, inside.score)
    value = "" if inside.score.score else "0 "
    yield f"The block structure score is {value}on a scale from 0 (none) to 1{score_interval_fact(inside.score)}."
    if not inside.blocks:
        return
    yield _survival(inside)
    strongest = max(inside.blocks, key=lambda block: block.dominant.pc1_share)
    dominant = strongest.dominant
    yield (
        f"{dominant.count} of {counted(inspection.dataset.examples, 'image')} "
        f"{'accounts' if dominant.count == 1 else 'account'} for up to {dominant.pc1_share:.0%} of what a block's "
        "layers share."
    )


def _survival(inside: Inside) -> str:
    """What is left of the blocks without the first components."""
    count, surviving = len(inside.blocks), sum(block.survives for block in inside.blocks)
    first = "the first component" if inside.components == 1 else f"the first {inside.components} components"
    if not surviving:
        return f"Without {first} of every layer, no block is left."
    which = "its block survives" if count == 1 else f"{surviving} of its {count} blocks survive"
    return f"Without {first} of every layer, {which}: these layers share more than {first}."
