"""Notes for readers of a result: missing values, layers left out, and limits of precision."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf

from torch import Tensor

from compare.answers.notes import answer_notes
from compare.engine.stream import FEWEST_TO_STOP, Stream
from compare.result.comparison import CKAWithoutDominant
from compare.similarity.gram import MIN_EXAMPLES
from compare.similarity.measures import KERNELS, VECTORS
from compare.similarity.pair_sums import FEWEST_EXAMPLES

# In smaller minibatches, PC1 fractions are much higher than over all examples.
FEWEST_FOR_PC1 = 32
# Most layers that have a note each; more have one together, which names this many.
NAMED = 3
# Why layers have no similarities: about one layer, and about many.
CONSTANT = (
    "is constant over examples; its similarities are null.",
    "are constant over examples; their similarities are null.",
)
INFINITE = (
    "has values that are too large or not finite; its similarities are null.",
    "have values that are too large or not finite; their similarities are null.",
)
LOST = (
    "is constant without the dominant examples; its CKA without them is null.",
    "are constant without the dominant examples; their CKA without them is null.",
)
LEFT_OUT = (
    "is left out; its output has no rows of real numbers of each example.",
    "are left out; their outputs have no rows of real numbers of each example.",
)


def notes(stream: Stream, sides: Sequence[str]) -> Iterator[str]:
    """Notes about a finished stream.

    Args:
        stream: the finished stream.
        sides: names of the models in the notes, such as `a` and `b`.

    Yields:
        One sentence each.
    """
    yield from _missing_layers(stream, sides)
    yield from _minibatches(stream)
    yield from _standard_errors(stream, sides)
    yield from answer_notes(stream.answers, sides)
    for name in stream.plan.measures:
        if name not in VECTORS and stream.plan.permutations:
            yield f"{name} has no null distribution; it would need one SVD per permutation and pair of layers."


def without_dominant_notes(stream: Stream, sides: Sequence[str], result: CKAWithoutDominant | None) -> Iterator[str]:
    """Notes about CKA without the examples that dominate it.

    Args:
        stream: the finished stream of two models.
        sides: names of the models in the notes.
        result: CKA without these examples.
    """
    if result is None or stream.without_dominant is None:
        yield (
            "CKA without dominant examples is null; it needs a minibatch of at least "
            f"{MIN_EXAMPLES + 1} examples in which a layer varies."
        )
        return
    lost = stream.without_dominant.sums.ratio().diagonal().isnan() & ~stream.cka.ratio().diagonal().isnan()
    for side, run, part in zip(sides, stream.runs, stream.parts, strict=True):
        yield from _about(side, _chosen(run.names, lost[part]), LOST)


def _missing_layers(stream: Stream, sides: Sequence[str]) -> Iterator[str]:
    missing = stream.cka.ratio().diagonal().isnan()
    for side, run, part in zip(sides, stream.runs, stream.parts, strict=True):
        yield from _about(side, _chosen(run.names, (missing & stream.finite)[part]), CONSTANT)
        yield from _about(side, _chosen(run.names, (missing & ~stream.finite)[part]), INFINITE)
        yield from _about_alike(side, sorted(run.left_out), LEFT_OUT)
        yield from (f"{side}: {remark}" for remark in run.remarks)


def _chosen(names: Sequence[str], is_chosen: Tensor) -> list[str]:
    """The names of the layers that are chosen, of shape (L,)."""
    return [name for name, chosen in zip(names, is_chosen.tolist(), strict=True) if chosen]


def _about(side: str, layers: Sequence[str], reason: tuple[str, str]) -> Iterator[str]:
    """A note on each layer, or one on all if they are many. `reason` is about one layer, and about many."""
    if len(layers) <= NAMED:
        yield from (f"{side}: {layer} {reason[0]}" for layer in layers)
        return
    more = len(layers) - NAMED
    yield f"{side}: {', '.join(layers[:NAMED])} and {more} other {'layer' if more == 1 else 'layers'} {reason[1]}"


def _about_alike(side: str, layers: Sequence[str], reason: tuple[str, str]) -> Iterator[str]:
    """As `_about`, but with one name for all layers whose names differ in numbers alone, such as `blocks.*.attn`."""
    counts = Counter(re.sub(r"(?<![a-zA-Z])\d+", "*", layer) for layer in layers)
    if len(layers) <= NAMED:
        yield from _about(side, layers, reason)
        return
    groups = [f"{name} ({count})" for name, count in counts.most_common(NAMED)]
    more = [f"{len(counts) - NAMED} other kinds"] if len(counts) > NAMED else []
    yield f"{side}: {len(layers)} layers {reason[1]} They are {', '.join(groups + more)}."


def _minibatches(stream: Stream) -> Iterator[str]:
    if stream.plan.gram_precision == "bf16":
        yield (
            "Gram matrices are computed in bfloat16: CKA is within 0.002 of fp32 in minibatches of at least 16 "
            "examples, unless single examples are far larger than the others."
        )
    if stream.plan.tolerance is not None and not stream.precise_enough:
        yield (
            f"standard errors of CKA are above the tolerance of {stream.plan.tolerance}, unknown in some cells, or "
            f"come from fewer than {FEWEST_TO_STOP} examples; use more examples."
        )
    if stream.precise_enough and stream.examples_in_cka < stream.examples - stream.too_short:
        yield (
            f"similarities use {stream.examples_in_cka} examples, enough for standard errors of CKA of at most "
            f"{stream.plan.tolerance}; predictions use all {stream.examples}."
        )
    if stream.too_short:
        yield f"CKA leaves out {stream.too_short} examples in minibatches of fewer than {MIN_EXAMPLES}."
    if stream.batch_size < FEWEST_FOR_PC1:
        yield (
            f"PC1 fractions are biased upwards in minibatches of {stream.batch_size} examples, so spans may be called "
            f"block structure wrongly; use at least {FEWEST_FOR_PC1}."
        )
    if stream.plan.components and any(
        interior.halves and interior.halves.empty for interior in stream.interiors.values()
    ):
        yield f"the block structure score has no interval; use minibatches of at least {2 * MIN_EXAMPLES} examples."


def _standard_errors(stream: Stream, sides: Sequence[str]) -> Iterator[str]:
    """Say which standard errors are missing, and why."""
    sides_of_runs = dict(zip(stream.runs, sides, strict=True))
    names = [f"{sides_of_runs[run]}: {layer}" for run in dict.fromkeys(stream.runs) for layer in run.names]
    for measure in ("cka", *stream.plan.measures):
        sums = stream.sums[measure]
        cells = stream.compared & ~sums.ratio().isnan()
        missing = cells & sums.standard_error().isnan()
        name = "CKA" if measure == "cka" else measure
        if not missing.equal(cells):
            yield from _factor(name, sums.degrees_of_freedom)
        if not missing.any():
            continue
        share = "null" if missing.equal(cells) else f"null in {missing.sum() / cells.sum():.1%} of the cells"
        if measure in KERNELS:
            effective = sums.effective_examples().diagonal()
            smallest = effective.nan_to_num(inf).argmin()
            yield (
                f"standard errors of {name} are {share}, where a few examples carry the similarity (fewer than "
                f"{FEWEST_EXAMPLES:.0f} effective examples; at least {effective[smallest]:.1f}, in {names[smallest]})."
            )
        else:
            yield f"standard errors of {name} are {share}; they need at least two minibatches of similar size."


def _factor(measure: str, degrees_of_freedom: int | None) -> Iterator[str]:
    """Say how wide intervals from the variance between minibatches are."""
    if degrees_of_freedom is None:
        return
    from scipy.special import stdtrit

    yield (
        f"standard errors of {measure} come from {degrees_of_freedom + 1} minibatches: a 95 % interval is "
        f"± {stdtrit(degrees_of_freedom, 0.975):.1f} of them (Student's t)."
    )
