"""Compare two models."""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from compare.answers.answers import Answers
from compare.answers.find import find_disagreement
from compare.engine.describe import BLOCK_SETTINGS, describe, describe_data, find_spans, settings, versions
from compare.engine.inside import look_inside
from compare.engine.notes import notes
from compare.engine.numbers import matrix
from compare.engine.plan import Plan
from compare.engine.stream import Stream, run_stream
from compare.model.trace import Model
from compare.result.comparison import BlockPair, CKAResult, Comparison, MeasureResult, NullResult
from compare.result.inside import InsidePair
from compare.result.models import ModelPair
from compare.result.spans import block_structures
from compare.structure.dominant import shared_examples, strongest


def compare_models(
    model_a: Model,
    model_b: Model,
    batches: Iterable[Any],
    *,
    layers: str = "all",
    passes: int = 1,
    precision: str = "fp32",
    measures: Sequence[str] = (),
    tolerance: float | None = None,
    permutations: int = 0,
    seed: int = 0,
    components: int = 0,
    class_names: Sequence[str] | None = None,
    model_classes: Sequence[Sequence[str] | None] | None = None,
) -> Comparison:
    """Find out what two classifiers share and where they differ.

    Args:
        model_a: any module that takes one tensor and returns logits, shape (n, classes).
        model_b: another one, for the same inputs; preprocessing of its own can be a forward pre-hook. In place of
            a module stands a `compare.model.trace.Tracer` or `Replay` of it.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices), where labels are integers of shape (n,)
            and indices say where each example stands in the data set. Minibatches should be drawn at random; each pass
            may shuffle anew. Convolutions run faster on inputs and weights in channels_last order.
        layers: `all` (leaf calls and block outputs, in execution order), `blocks` (outputs of the repeated residual or
            transformer blocks), or glob patterns of module names, separated by commas.
        passes: how often to go through the batches for CKA; predictions come from the first pass.
        precision: of the Gram matrices: `fp32`, `fp64`, or `bf16` (fast where the hardware multiplies bfloat16 fast;
            within 0.002 of fp32); the models run as they are, and sums are always float64.
        measures: further measures beside CKA: `knn`, `rsa`, `procrustes`; see `compare.similarity.measures`.
        tolerance: take no more Gram matrices once every standard error of CKA between the models is at most this.
        permutations: of the examples of b for the null distribution of each cell, at least 19; 0 for none.
        seed: of the permutations and of the half samples.
        components: how many principal components are removed for a second CKA, when a look is taken inside each model:
            how sure its block structure is, and what carries it; 0 for no such look. It costs as much as CKA again.
        class_names: names of the data's classes; their numbers if not given.
        model_classes: names of the classes of a's and b's logits, in order; None for the data's own.

    Returns:
        CKA of all pairs of layers, spans of alike layers, and the disagreement of the predictions: None, with the
        reason in the notes, if the classes of a model are not the data's.

    Raises:
        CompareError: fewer than 4 examples in every batch, labels that are no classes, or unusable arguments.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327.
    """
    plan = Plan(layers, passes, precision, tuple(measures), tolerance, permutations, seed, components)
    stream = run_stream((model_a, model_b), batches, plan, Answers(class_names, model_classes))
    a, b = stream.parts
    fraction, alignment = stream.principal.fraction(), stream.principal.alignment()
    cka = stream.cka.ratio()
    spans = BlockPair(
        a=find_spans(cka[a, a], fraction[a], alignment[a, a], stream.runs[0].names),
        b=find_spans(cka[b, b], fraction[b], alignment[b, b], stream.runs[1].names),
    )
    return Comparison(
        models=ModelPair(a=describe(stream, 0), b=describe(stream, 1)),
        dataset=describe_data(stream),
        cka=CKAResult(
            ab=matrix(cka[a, b]),
            aa=matrix(cka[a, a]),
            bb=matrix(cka[b, b]),
            standard_error_ab=matrix(stream.cka.standard_error(stream.passes)[a, b]),
            batch_size=stream.batch_size,
            passes=stream.passes,
            null=_null(stream, "cka"),
        ),
        block_structure=spans,
        disagreement=find_disagreement(stream.answers),
        settings=settings(stream) | BLOCK_SETTINGS,
        versions=versions(),
        notes=tuple(notes(stream, "ab")),
        measures=tuple(_measure(stream, name) for name in measures),
        inside=_inside(stream, spans) if components else None,
    )


def _inside(stream: Stream, spans: BlockPair) -> InsidePair:
    a, b = (
        [strongest(stream.interiors[run].scores, [span]) for span in block_structures(own)]
        for run, own in zip(stream.runs, (spans.a, spans.b), strict=True)
    )
    return InsidePair(
        a=look_inside(stream, 0, spans.a),
        b=look_inside(stream, 1, spans.b),
        shared_examples=shared_examples(a, b, stream.examples_in_cka),
    )


def _measure(stream: Stream, name: str) -> MeasureResult:
    a, b = stream.parts
    values, error = stream.sums[name].ratio(), stream.sums[name].standard_error(stream.passes)
    return MeasureResult(
        name, matrix(values[a, b]), matrix(values[a, a]), matrix(values[b, b]), matrix(error[a, b]), _null(stream, name)
    )


def _null(stream: Stream, name: str) -> NullResult | None:
    if name not in stream.nulls:
        return None
    cells = stream.nulls[name].cells()
    exists = ~cells.mean.isnan()
    return NullResult(
        permutations=stream.plan.permutations,
        mean=matrix(cells.mean),
        percentile_95=matrix(cells.percentile_95),
        familywise_95=cells.familywise_95 if isfinite(cells.familywise_95) else None,
        above=tuple(
            tuple(above if known else None for above, known in zip(*row, strict=True))
            for row in zip(cells.above.tolist(), exists.tolist(), strict=True)
        ),
    )
