"""What a reader of a result must know: why values are missing, and what was left out."""

from collections.abc import Iterator, Sequence

from compare.answers.notes import answer_notes
from compare.engine.stream import MIN_BATCHES, Stream
from compare.similarity.gram import MIN_EXAMPLES
from compare.similarity.measures import VECTORS

# In minibatches of fewer examples the first component takes a much larger share of the variance than over all of them.
FEWEST_FOR_PC1 = 32


def notes(stream: Stream, sides: Sequence[str]) -> Iterator[str]:
    """One sentence each.

    Args:
        stream: all that was found.
        sides: what the models are called, such as a and b.
    """
    yield from _missing_layers(stream, sides)
    yield from _minibatches(stream)
    yield from answer_notes(stream.answers, sides)
    for name in stream.plan.measures:
        if name not in VECTORS and stream.plan.permutations:
            yield f"{name} has no null distribution; it would take a decomposition per permutation and pair of layers."


def _missing_layers(stream: Stream, sides: Sequence[str]) -> Iterator[str]:
    missing = stream.cka.ratio().diagonal().isnan()
    for side, run, part in zip(sides, stream.runs, stream.parts, strict=True):
        for layer, finite, absent in zip(run.names, stream.finite[part].tolist(), missing[part].tolist(), strict=True):
            if absent:
                reason = "does not vary between examples" if finite else "has values that are not finite, or too large"
                yield f"{side}: {layer} {reason}; its cells are null."
        for layer in sorted(run.left_out):
            yield f"{side}: {layer} is left out; its output does not hold one row of real numbers per example."


def _minibatches(stream: Stream) -> Iterator[str]:
    if stream.plan.precision == "bf16":
        yield (
            "Gram matrices are products of bfloat16 numbers: CKA is within 0.002 of single precision in minibatches of "
            "16 examples or more, unless single examples dwarf the others."
        )
    if stream.plan.tolerance is not None and not stream.precise_enough:
        yield (
            f"standard errors of CKA stay above the tolerance of {stream.plan.tolerance}, or come from fewer than "
            f"{MIN_BATCHES} minibatches in a pass; use more examples."
        )
    if stream.precise_enough and stream.examples_in_cka < stream.examples - stream.too_short:
        yield (
            f"similarities come from {stream.examples_in_cka} examples, which brought the standard errors of CKA down "
            f"to {stream.plan.tolerance}; predictions from all {stream.examples}."
        )
    if stream.too_short:
        yield f"{stream.too_short} examples in minibatches below {MIN_EXAMPLES} count in the predictions, not in CKA."
    if stream.batch_size < FEWEST_FOR_PC1:
        yield (
            f"PC1 fractions come out high from minibatches of {stream.batch_size} examples, and with them the kind of "
            f"spans; use at least {FEWEST_FOR_PC1}."
        )
    if stream.plan.components and any(interior.halves.empty for interior in stream.interiors.values()):
        yield f"the block structure score has no interval; that takes minibatches of {2 * MIN_EXAMPLES} examples."
    if stream.cka.standard_error(stream.passes).isnan().all():
        yield "standard errors are null: they need at least two minibatches of like size in a pass."
