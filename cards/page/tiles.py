"""The tiles at the top of the page of a comparison."""

from collections.abc import Sequence
from statistics import fmean

from cards.page.page import KeyNumber, Tile
from cards.words.facts import DIFFERENT_CLASSES, NO_LABELS, OTHER_CLASSES, difference_fact, score_fact
from cards.words.legible import number, printable
from cards.words.verdict import best_matches, covered
from compare.result.base import Matrix
from compare.result.comparison import BaselineSide, Comparison
from compare.result.disagreement import Disagreement
from compare.result.inside import BlockScore
from compare.result.models import ModelResult
from compare.result.spans import BlockSpan, block_structures

Ends = tuple[float, float] | None
# With longer names, the tiles would not fit on the first screen of a laptop.
LONGEST_NAME = 40


def comparison_tiles(comparison: Comparison) -> tuple[Tile, ...]:
    """Agreement, accuracies, similarity beside untrained copies, and block structure.

    Args:
        comparison: the result to show, with printable names.
    """
    return _agreement(comparison), _accuracies(comparison), _similarities(comparison), _structures(comparison)


def _agreement(comparison: Comparison) -> Tile:
    disagreement, count = comparison.disagreement, f"of {comparison.dataset.examples:,} images"
    if disagreement is None:
        return Tile("Same predictions", (KeyNumber(None, f"{DIFFERENT_CLASSES}."),))
    share = KeyNumber(f"{disagreement.agreement:.1%}", f"{count}{_interval(disagreement.agreement_interval)}")
    return Tile("Same predictions", (share,), _right(disagreement))


def _right(disagreement: Disagreement) -> str:
    """How many images each model predicts correctly; empty without labels."""
    if disagreement.both_right is None:
        return ""
    return (
        f"{disagreement.both_right:,} right in both, {disagreement.only_a_right} only in a, "
        f"{disagreement.only_b_right} only in b, {disagreement.both_wrong} in neither."
    )


def _accuracies(comparison: Comparison) -> Tile:
    disagreement, models = comparison.disagreement, comparison.models
    if disagreement is None:
        missing = f"{OTHER_CLASSES}, or {NO_LABELS}"
        numbers = (_accuracy("a", models.a, None, missing), _accuracy("b", models.b, None, missing))
        return Tile("Accuracy", numbers)
    ends = disagreement.accuracy_a_interval, disagreement.accuracy_b_interval
    missing = OTHER_CLASSES if disagreement.predicted_classes else NO_LABELS
    numbers = (_accuracy("a", models.a, ends[0], missing), _accuracy("b", models.b, ends[1], missing))
    caption = "" if disagreement.p_value is None else f"a - b: {difference_fact(disagreement)}"
    return Tile("Accuracy", numbers, caption)


def _accuracy(label: str, model: ModelResult, ends: Ends, missing: str) -> KeyNumber:
    if model.accuracy is None:
        return KeyNumber(None, f"{label}, {printable(model.name, LONGEST_NAME)}: {missing}.")
    return KeyNumber(f"{model.accuracy:.1%}", f"{label}, {printable(model.name, LONGEST_NAME)}{_interval(ends)}")


def _interval(ends: Ends) -> str:
    return f" ({ends[0]:.1%} to {ends[1]:.1%})" if ends else ""


def _similarities(comparison: Comparison) -> Tile:
    ab, baseline = comparison.cka.ab, comparison.baseline
    missing = "see the notes" if any("untrained cop" in note for note in comparison.notes) else "not measured"
    numbers = (
        _similarity("a", "b", ab, baseline.a if baseline else None, missing),
        _similarity("b", "a", tuple(zip(*ab, strict=True)), baseline.b if baseline else None, missing),
    )
    return Tile("Similarity inside", numbers, "CKA with the most similar layer of the other model, mean over layers.")


def _similarity(one: str, other: str, cka: Matrix, side: BaselineSide | None, missing: str) -> KeyNumber:
    best = best_matches(cka)
    if not best:
        return KeyNumber(None, f"no layer of {one} can be compared with a layer of {other}.")
    if side is None:
        return KeyNumber(
            f"{fmean(best):.2f}", f"{one} in {other}; in an untrained copy of {other}: not known, {missing}."
        )
    ends = "" if side.low is None else f" ({side.low:+z.2f} to {number(side.high, '+z.2f')})"
    untrained = f"{side.untrained:.2f} in an untrained copy of {other}: {side.above:+z.2f}{ends}"
    return KeyNumber(f"{side.best_match:.2f}", f"{one} in {other}, {untrained}")


def _structures(comparison: Comparison) -> Tile:
    models, spans, inside = comparison.models, comparison.block_structure, comparison.inside
    numbers = (
        structure_number("a", spans.a, models.a.layers, inside.a.score if inside else None),
        structure_number("b", spans.b, models.b.layers, inside.b.score if inside else None),
    )
    return Tile("Block structure", numbers)


def structure_number(
    label: str, spans: Sequence[BlockSpan], layers: Sequence[str], score: BlockScore | None
) -> KeyNumber:
    """How much of a model is block structure.

    Args:
        label: label of the model, such as `a`; a single model has the label "".
        spans: spans of similar layers of the model.
        layers: layer names of the model.
        score: its block structure score; None if it was not computed.
    """
    blocks = block_structures(spans)
    facts = [f"score {score_fact(score)}"] if score and any((score.score, *(at.score for at in score.curve))) else []
    if not blocks:
        return KeyNumber("none", "; ".join([f"in {label or 'its layers'}", *facts]))
    inside, total, what = covered(blocks, layers)
    where = f"{inside} of its {total} {what}"
    return KeyNumber(f"{inside / total:.0%}", "; ".join([f"of {label}: {where}" if label else where, *facts]))
