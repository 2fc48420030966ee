"""A comparison in plain words."""

from collections.abc import Iterator
from statistics import fmean

from cards.words.facts import score_fact
from cards.words.legible import chance
from compare.result.base import NOTHING, Matrix
from compare.result.comparison import Comparison
from compare.result.disagreement import Disagreement
from compare.result.inside import Inside
from compare.result.inspection import Inspection
from compare.result.spans import BlockSpan, block_structures
from compare.stats.paired import LEVEL


def verdict(comparison: Comparison) -> str:
    """The answer in a few sentences: how alike, where block structure is, and who is right more often."""
    return " ".join(_sentences(comparison))


def _sentences(comparison: Comparison) -> Iterator[str]:
    models, spans = comparison.models, comparison.block_structure
    yield _likeness(comparison.cka.ab)
    yield structure("a", spans.a, len(models.a.layers))
    yield structure("b", spans.b, len(models.b.layers))
    yield _disagreement(comparison)


def _likeness(ab: Matrix) -> str:
    """Best matches both ways: high where the other model learns the same somewhere, wherever that is."""
    in_b, in_a = _best(ab), _best(tuple(zip(*ab, strict=True)))
    if not in_b:
        return "No layer of a can be compared with b."
    return (
        f"With the most similar layer of the other model, layers of a have a CKA of {fmean(in_b):.2f} on average "
        f"(from {min(in_b):.2f} to {max(in_b):.2f}) and layers of b one of {fmean(in_a):.2f} "
        f"(from {min(in_a):.2f} to {max(in_a):.2f})."
    )


def _best(rows: Matrix) -> list[float]:
    return [max(known) for row in rows if (known := [cell for cell in row if cell is not None])]


def structure(model: str, spans: tuple[BlockSpan, ...], layers: int) -> str:
    """A sentence on the block structure of a model.

    Args:
        model: what it is called, as the subject.
        spans: its spans of alike layers.
        layers: how many it has.
    """
    blocks = block_structures(spans)
    if not blocks:
        return f"{model} has no block structure."
    share = sum(span.stop - span.start for span in blocks) / layers
    places = ", ".join(f"{span.first_layer} to {span.last_layer}" for span in blocks)
    return f"{model} has block structure in {share:.0%} of its layers ({places})."


def inspection_verdict(found: Inspection) -> str:
    """What was found in one model, in a few sentences."""
    return " ".join(_inside_sentences(found))


def _inside_sentences(found: Inspection) -> Iterator[str]:
    inside = found.inside
    yield structure("It", found.block_structure, len(found.model.layers))
    yield f"Its block structure score is {score_fact(inside.score)}, from 0, none, to 1."
    if not inside.blocks:
        return
    yield _survival(inside)
    strongest = max(inside.blocks, key=lambda block: block.dominant.pc1_share)
    dominant = strongest.dominant
    yield (
        f"{dominant.count} of {found.dataset.examples} images hold up to {dominant.pc1_share:.0%} of what a block's "
        f"layers share."
    )


def _survival(inside: Inside) -> str:
    """What becomes of the blocks without the first components."""
    count, surviving = len(inside.blocks), sum(block.survives for block in inside.blocks)
    first = "the first component" if inside.components == 1 else f"the first {inside.components} components"
    if not surviving:
        return f"Without {first} of every layer, no block is left."
    which = "its block survives" if count == 1 else f"{surviving} of its {count} blocks survive"
    return f"Without {first} of every layer, {which}: there the layers are alike in more than that."


def _disagreement(comparison: Comparison) -> str:
    found = comparison.disagreement
    if found is None:
        return "Their predictions are not compared, since the classes of one are not those of the images."
    text = f"They predict the same class on {found.agreement:.1%} of {comparison.dataset.examples} images"
    if found.p_value is None:
        return f"{text}; without labels, nobody knows which is right."
    return " ".join([f"{text}; {_better(found)}.", _meaning(found)])


def _better(found: Disagreement) -> str:
    assert found.p_value is not None and found.accuracy_a is not None and found.accuracy_b is not None
    better = "neither"
    if found.p_value < LEVEL:
        better = "a" if found.accuracy_a > found.accuracy_b else "b"
    return f"{better} is right more often than chance explains ({chance(found.p_value)})"


def _meaning(found: Disagreement) -> str:
    """What it means for somebody who has both, or replaces a by b."""
    worse, better = (_some(names) for names in (found.worse_with_b, found.better_with_b))
    sentences = []
    if not worse and not better:
        sentences.append("No single class sets them apart.")
    if worse:
        sentences.append(f"Replacing a by b makes class {worse} worse beyond chance.")
    if better:
        sentences.append(f"Replacing a by b makes class {better} better beyond chance.")
    gain = found.together.ensemble_gain if found.together else NOTHING
    if gain.low is not None and gain.high is not None:
        sentences.append(
            "They complement each other: averaged, they are right more often than the better one."
            if gain.low > 0
            else "Averaging them does not help beyond chance."
        )
    return " ".join(sentences)


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"
