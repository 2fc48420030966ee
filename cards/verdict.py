"""A comparison in plain words."""

from collections.abc import Iterator
from statistics import fmean

from compare.block_structure import BlockSpan
from compare.result import Comparison, Matrix


def verdict(comparison: Comparison) -> str:
    """The answer in a few sentences: how alike, where block structure is, and who is right more often."""
    return " ".join(_sentences(comparison))


def _sentences(comparison: Comparison) -> Iterator[str]:
    models, spans = comparison.models, comparison.block_structure
    yield _likeness(comparison.cka.ab)
    yield _structure("a", spans.a, len(models.a.layers))
    yield _structure("b", spans.b, len(models.b.layers))
    yield _disagreement(comparison)


def _likeness(ab: Matrix) -> str:
    """Best match of each layer of a: high where b learns the same somewhere, wherever that is."""
    best = [max(known) for row in ab if (known := [cell for cell in row if cell is not None])]
    if not best:
        return "No layer of a can be compared with b."
    return (
        f"A layer of a finds a CKA of {fmean(best):.2f} on average with the layer of b most like it "
        f"({min(best):.2f} for the one that b lacks most)."
    )


def _structure(model: str, spans: tuple[BlockSpan, ...], layers: int) -> str:
    blocks = [span for span in spans if span.kind == "block structure"]
    if not blocks:
        return f"{model} has no block structure."
    share = sum(span.stop - span.start for span in blocks) / layers
    places = ", ".join(f"{span.first_layer} to {span.last_layer}" for span in blocks)
    return f"{model} has block structure in {share:.0%} of its layers ({places})."


def _disagreement(comparison: Comparison) -> str:
    result = comparison.disagreement
    differ = [row.name for row in result.classes if row.p_adjusted is not None and row.p_adjusted < 0.05]
    text = f"They predict the same class on {result.agreement:.1%} of {comparison.dataset.examples} images; "
    better = "neither"
    if result.p_value < 0.05:
        better = "a" if result.accuracy_a > result.accuracy_b else "b"
    text += f"{better} is right more often than chance explains (p = {result.p_value:.2g})."
    if not differ:
        return f"{text} No single class sets them apart."
    more = f" and {len(differ) - 5} more" if len(differ) > 5 else ""
    return f"{text} They differ on class {', '.join(differ[:5])}{more}."
