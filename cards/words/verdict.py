"""Summaries of a comparison and of an inspection in plain English."""

from collections.abc import Iterator
from statistics import fmean

from cards.words.facts import points, rests_on_fact, score_fact
from cards.words.legible import chance
from compare.result.base import NOTHING, Matrix
from compare.result.comparison import BaselineSide, Comparison
from compare.result.disagreement import Disagreement
from compare.result.inside import Inside
from compare.result.inspection import Inspection
from compare.result.spans import BlockSpan, block_structures
from compare.stats.paired import LEVEL


def verdict(comparison: Comparison) -> str:
    """Summary in a few sentences: cautions, similarity, block structure, and which model is more accurate.

    Args:
        comparison: the result to summarize.
    """
    return " ".join(_sentences(comparison))


def _sentences(comparison: Comparison) -> Iterator[str]:
    models, spans = comparison.models, comparison.block_structure
    baseline, ab = comparison.baseline, comparison.cka.ab
    yield from comparison.cautions
    if baseline is None or not _best(ab):
        yield _likeness(ab)
    else:
        yield _beside_untrained("a", "b", ab, baseline.a)
        yield _beside_untrained("b", "a", tuple(zip(*ab, strict=True)), baseline.b)
    if rests_on := rests_on_fact(comparison.cka):
        yield rests_on
    yield structure("a", spans.a, len(models.a.layers))
    yield structure("b", spans.b, len(models.b.layers))
    yield _disagreement(comparison)


def _likeness(ab: Matrix) -> str:
    """Best matches in both directions: high if the other model has a similar layer at any depth."""
    in_b, in_a = _best(ab), _best(tuple(zip(*ab, strict=True)))
    if not in_b:
        return "No layer of a can be compared with a layer of b."
    return (
        f"With the most similar layer of the other model, layers of a have a CKA of {fmean(in_b):.2f} on average "
        f"({min(in_b):.2f} to {max(in_b):.2f}), and layers of b have {fmean(in_a):.2f} "
        f"({min(in_a):.2f} to {max(in_a):.2f})."
    )


def _beside_untrained(one: str, other: str, cka: Matrix, side: BaselineSide | None) -> str:
    """Best matches of one model (rows) in the other (columns), and whether they are due to training."""
    best_match = fmean(_best(cka)) if side is None else side.best_match
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
        f"{match}, but an untrained copy of {other} is {similar} ({side.untrained:.2f}; difference {side.above:.2f}, "
        f"{side.low:.2f} to {side.high:.2f}), so this similarity does not show that they learned the same."
    )


def _best(rows: Matrix) -> list[float]:
    return [max(cells) for row in rows if (cells := [cell for cell in row if cell is not None])]


def structure(model: str, spans: tuple[BlockSpan, ...], layers: int) -> str:
    """A sentence about the block structure of a model.

    Args:
        model: the subject of the sentence, such as `a` or `It`.
        spans: spans of similar layers of the model.
        layers: number of layers of the model.
    """
    blocks = block_structures(spans)
    if not blocks:
        return f"{model} has no block structure."
    share = sum(span.stop - span.start for span in blocks) / layers
    places = ", ".join(f"{span.first_layer} to {span.last_layer}" for span in blocks)
    return f"{model} has block structure in {share:.0%} of its layers ({places})."


def inspection_verdict(inspection: Inspection) -> str:
    """Summary in a few sentences: block structure, what is left without its cause, and the images that dominate it.

    Args:
        inspection: the result to summarize.
    """
    return " ".join(_inspection_sentences(inspection))


def _inspection_sentences(inspection: Inspection) -> Iterator[str]:
    inside = inspection.inside
    yield structure("It", inspection.block_structure, len(inspection.model.layers))
    yield f"Its block structure score is {score_fact(inside.score)} on a scale from 0 (none) to 1."
    if not inside.blocks:
        return
    yield _survival(inside)
    strongest = max(inside.blocks, key=lambda block: block.dominant.pc1_share)
    dominant = strongest.dominant
    yield (
        f"{dominant.count} of {inspection.dataset.examples} images account for up to {dominant.pc1_share:.0%} of what "
        f"a block's layers share."
    )


def _survival(inside: Inside) -> str:
    """What is left of the blocks without the first components."""
    count, surviving = len(inside.blocks), sum(block.survives for block in inside.blocks)
    first = "the first component" if inside.components == 1 else f"the first {inside.components} components"
    if not surviving:
        return f"Without {first} of every layer, no block is left."
    which = "its block survives" if count == 1 else f"{surviving} of its {count} blocks survive"
    return f"Without {first} of every layer, {which}: these layers share more than {first}."


def _disagreement(comparison: Comparison) -> str:
    disagreement = comparison.disagreement
    if disagreement is None:
        return "Their predictions are not compared, because the classes of a model are not those of the images."
    text = f"They predict the same class on {disagreement.agreement:.1%} of {comparison.dataset.examples} images"
    if disagreement.p_value is None:
        return f"{text}; without labels, it is unknown which model is right."
    return f"{text}; {_better(disagreement)}. {_consequences(disagreement)}"


def _better(disagreement: Disagreement) -> str:
    assert disagreement.accuracy_a is not None and disagreement.accuracy_b is not None
    assert disagreement.p_value is not None
    if disagreement.p_value < LEVEL:
        better = "a" if disagreement.accuracy_a > disagreement.accuracy_b else "b"
        return f"{better} is significantly more accurate ({chance(disagreement.p_value)})"
    return f"these do not show which is more accurate (a - b: {points(disagreement.difference)})"


def _consequences(disagreement: Disagreement) -> str:
    """What to expect from replacing a with b, and from using both."""
    worse, better = _names(disagreement.worse_with_b), _names(disagreement.better_with_b)
    sentences = []
    if not worse and not better:
        sentences.append("No single class differs significantly.")
    if worse:
        sentences.append(f"Replacing a with b makes class {worse} significantly worse.")
    if better:
        sentences.append(f"Replacing a with b makes class {better} significantly better.")
    gain = disagreement.together.ensemble_gain if disagreement.together else NOTHING
    if gain.low is not None and gain.high is not None:
        sentences.append(
            "They complement each other: averaged, they are more accurate than the better one."
            if gain.low > 0
            else "Averaging them does not help significantly."
        )
    return " ".join(sentences)


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"
