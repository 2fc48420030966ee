"""Compare two models."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from itertools import islice
from math import isfinite
from typing import Any

from torch import Tensor, nn

from compare.answers.answers import Answers
from compare.answers.cautions import find_cautions
from compare.answers.find import find_disagreement
from compare.answers.sources import with_sources
from compare.engine.baseline import Sweep, check_baseline, find_baselines
from compare.engine.describe import BLOCK_SETTINGS, describe, describe_data, find_spans, settings, versions
from compare.engine.inside import look_inside
from compare.engine.notes import notes, without_dominant_notes
from compare.engine.numbers import matrix
from compare.engine.plan import Plan
from compare.engine.stream import Stream, run_stream
from compare.model.class_names import find_class_names
from compare.model.frozen import Forward
from compare.model.trace import Model
from compare.result.comparison import (
    LARGE_CHANGE,
    Baseline,
    BlockPair,
    CKAResult,
    CKAWithoutDominant,
    Comparison,
    MeasureResult,
    NullResult,
)
from compare.result.inside import DominantExample, InsidePair
from compare.result.inspection import Inspection
from compare.result.models import ModelPair
from compare.result.spans import block_structures
from compare.similarity.measures import DEFAULT_MEASURES
from compare.similarity.without_dominant import ONE_IN
from compare.structure.dominant import MOST_NAMED, shared_examples, strongest
from compare.structure.spans import layers_in


def compare_models(
    model_a: Model,
    model_b: Model,
    batches: Iterable[Any],
    *,
    layers: str = "all",
    pool: str = "none",
    passes: int = 1,
    precision: str = "fp32",
    measures: Sequence[str] = DEFAULT_MEASURES,
    tolerance: float | None = None,
    permutations: int = 0,
    seed: int = 0,
    components: int = 0,
    class_names: Sequence[str] | None = None,
    model_classes: Sequence[Sequence[str] | None] | None = None,
    baseline: tuple[Sequence[nn.Module], Sequence[nn.Module]] | None = None,
    inspections: tuple[Inspection, Inspection] | None = None,
    forward: Forward | None = None,
) -> Comparison:
    """Compare two models: CKA of their layers, block structure, and disagreement of their predictions.

    Both models see the same minibatches. They run in eval mode, without gradients, on their own devices. Train and eval
    modes are restored and hooks removed at the end, even after an error.

    Args:
        model_a: any module, or a `compare.model.trace.Tracer` or `compare.model.trace.Replay` of one. Its logits are
            the key or attribute `logits` of its output, or else its first tensor with a row per example, if that has
            the shape (n, classes). A model without them, such as timm's with `num_classes=0`, is an encoder: it has
            layers, but no predictions.
        model_b: another model for the same inputs. A forward pre-hook can apply preprocessing of its own.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices), or of mappings with `labels` (or
            `label`) and `indices` beside the arguments of the model. Inputs are a tensor, or a tuple or mapping of
            arguments. Labels are class numbers, shape (n,), or all -1 if they are unknown. Indices are positions in the
            dataset, shape (n,). Minibatches should be drawn at random; each pass may shuffle again. If the batches have
            methods `path(index)` and `row(index)`, as those of `zoo.images`, each example in the result
            names its file or row. Convolutions are faster if inputs and weights are in channels_last order.
        layers: `all` (leaf modules and block outputs, in execution order), `blocks` (outputs of residual or transformer
            blocks), `stages`, or glob patterns of module names, separated by commas.
        pool: features as they are (`none`), their mean over positions (`mean`), or those of the class token (`cls`; the
            mean in models and layers without one).
        passes: number of passes over the batches for CKA; predictions come from the first pass.
        precision: precision of the Gram matrices: `fp32`, `fp64`, or `bf16` (within 0.002 of fp32, faster on hardware
            with native bfloat16). Models run in their own precision, and sums are always float64. With the measure
            `procrustes` it is always `fp64`.
        measures: similarity measures in addition to CKA: `cosine`, `knn`, `rsa`, `procrustes`; see
            `compare.similarity.measures`.
        tolerance: stop computing Gram matrices when every standard error of CKA between the models is at most this.
        permutations: number of permutations of b's examples for the null distribution of each cell, at least 19; 0
            computes no null distribution.
        seed: random seed of the permutations and half samples.
        components: number of principal components to remove for a second CKA, 1 to 10. This also computes the
            uncertainty of block structure and the examples that dominate it, and doubles the cost of CKA. 0 skips it.
        class_names: names of the data's classes; if None, `batches.classes`, or else class numbers.
        model_classes: for a and b, the names of the classes of the logits, in order; None for the model's attribute
            `class_names`, which models of `zoo.load` have. Without it, the classes are the data's.
        baseline: untrained copies of a, and untrained copies of b, such as `((a0,), (b0,))`: the same architectures
            with fresh initial weights. Either may be empty. Batch norm statistics should come from the data. This runs
            all models twice more. None computes no baseline.
        inspections: of a and of b, by `inspect_model` with the same batches and options. The block structures and their
            analysis then come from these, which takes less than half the time. None analyses both models anew.
        forward: called with a model and the inputs of a minibatch in place of the model itself, such as
            `lambda model, inputs: model.encode_image(inputs)`; None calls the model.

    Returns:
        CKA of all pairs of layers, with and without the examples that dominate it, spans of similar layers in each
        model, and the disagreement of the predictions, which is None, with the reason in the notes, if the classes of a
        model are not the data's or it has none.

    Raises:
        CompareError: every minibatch has fewer than 4 examples, a label is not a class, or an argument is invalid.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327.

    Example:
        >>> import torch
        >>> from compare import compare_models
        >>> _ = torch.manual_seed(0)
        >>> a = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
        >>> b = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
        >>> batches = [(torch.randn(32, 8), torch.randint(3, (32,))) for _ in range(2)]
        >>> result = compare_models(a, b, batches, class_names=["cat", "dog", "frog"])
        >>> [len(row) for row in result.cka.ab]
        [3, 3, 3]
        >>> [row.name for row in result.disagreement.classes]
        ['cat', 'dog', 'frog']
    """
    plan = Plan(layers, passes, precision, tuple(measures), tolerance, permutations, seed, components, pool, forward)
    check_baseline(baseline, 2, batches)
    models = model_a, model_b
    answers = Answers(*find_class_names(models, batches, class_names, model_classes))
    stream = run_stream(models, batches, plan, answers, leave_out_dominant=True, scores_only=inspections is not None)
    a, b = stream.parts
    fraction, alignment = stream.principal.fraction(), stream.principal.alignment()
    cka = stream.cka.ratio()
    spans = (
        BlockPair(*(inspection.block_structure for inspection in inspections))
        if inspections
        else BlockPair(
            a=find_spans(cka[a, a], fraction[a], alignment[a, a], stream.runs[0].names),
            b=find_spans(cka[b, b], fraction[b], alignment[b, b], stream.runs[1].names),
        )
    )
    without_dominant = _without_dominant(stream)
    untrained, missing = (None, ()) if baseline is None else _baseline(Sweep(models, baseline, batches), stream)
    cautions = tuple(find_cautions(models, answers, "ab"))
    result = Comparison(
        models=ModelPair(a=describe(stream, 0), b=describe(stream, 1)),
        dataset=describe_data(stream),
        cka=CKAResult(
            ab=matrix(cka[a, b]),
            aa=matrix(cka[a, a]),
            bb=matrix(cka[b, b]),
            standard_error_ab=matrix(stream.cka.standard_error()[a, b]),
            batch_size=stream.batch_size,
            passes=stream.passes,
            null=_null(stream, "cka"),
            without_dominant=without_dominant,
        ),
        block_structure=spans,
        disagreement=find_disagreement(stream.answers),
        settings=settings(stream) | BLOCK_SETTINGS,
        versions=versions(),
        notes=(*cautions, *notes(stream, "ab"), *without_dominant_notes(stream, "ab", without_dominant), *missing),
        measures=tuple(_measure(stream, name) for name in measures),
        inside=_inside(stream, spans, inspections) if components else None,
        baseline=untrained,
        cautions=cautions,
    )
    return with_sources(result, batches)


def _baseline(sweep: Sweep, stream: Stream) -> tuple[Baseline | None, tuple[str, ...]]:
    seeds = range(max(map(len, sweep.copies)))
    baselines, missing = find_baselines(lambda: nullcontext(sweep), stream.plan, stream.cka.batches, seeds, "ab")
    return baselines[0, 1], missing


def _inside(stream: Stream, spans: BlockPair, inspections: tuple[Inspection, Inspection] | None) -> InsidePair:
    a, b = (
        [strongest(stream.interiors[run].scores, layers_in(span, run.names)) for span in block_structures(of_model)]
        for run, of_model in zip(stream.runs, (spans.a, spans.b), strict=True)
    )
    return InsidePair(
        a=inspections[0].inside if inspections else look_inside(stream, 0, spans.a),
        b=inspections[1].inside if inspections else look_inside(stream, 1, spans.b),
        shared_examples=shared_examples(a, b, stream.examples_in_cka),
    )


def _measure(stream: Stream, name: str) -> MeasureResult:
    a, b = stream.parts
    sums = stream.sums[name]
    values = sums.ratio()
    return MeasureResult(
        name=name,
        ab=matrix(values[a, b]),
        aa=matrix(values[a, a]),
        bb=matrix(values[b, b]),
        standard_error_ab=matrix(sums.standard_error()[a, b]),
        null=_null(stream, name),
        degrees_of_freedom=sums.degrees_of_freedom,
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
        above=_flags(cells.above, exists),
    )


def _without_dominant(stream: Stream) -> CKAWithoutDominant | None:
    a, b = stream.parts
    without = stream.without_dominant
    if without is None or not without.sums.batches:
        return None
    cells, left_out, answers = without.sums.ratio()[a, b], without.left_out, stream.answers
    change = cells - stream.cka.ratio()[a, b]
    return CKAWithoutDominant(
        share=1 / ONE_IN,
        count=len(left_out.positions),
        total=stream.examples_in_cka,
        examples=tuple(
            DominantExample(
                index=int(answers.indices[position]),
                label=int(answers.labels[position]) if answers.labelled else None,
                pc1_share=float(pc1_share),
                norm_share=float(norm_share),
            )
            for position, pc1_share, norm_share, _ in islice(zip(*left_out, strict=True), MOST_NAMED)
        ),
        ab=matrix(cells),
        changed=_flags(change.abs() > LARGE_CHANGE, ~change.isnan()),
    )


def _flags(values: Tensor, exists: Tensor) -> tuple[tuple[bool | None, ...], ...]:
    """Convert a tensor of shape (L, M), bool, to nested tuples, with None where no value exists."""
    return tuple(
        tuple(value if has_value else None for value, has_value in zip(*row, strict=True))
        for row in zip(values.tolist(), exists.tolist(), strict=True)
    )
