"""Compare two models: one stream of minibatches through both, one result."""

import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn

from compare.block_structure import DOMINANT, MIN_LENGTH, THRESHOLD, BlockSpan, find_block_structure
from compare.disagreement import Disagreement, class_disagreement, disagreed_examples
from compare.errors import CompareError
from compare.gram import MIN_EXAMPLES
from compare.layers import LayerGrams
from compare.result import BlockPair, CKAResult, Comparison, DatasetResult, Matrix, ModelPair, ModelResult
from compare.stream import Stream, joined

# The paper's minibatch, and how many of them a standard error should at least be taken over.
BATCH_SIZE, MIN_BATCHES = 256, 6
# In minibatches of fewer examples the first component takes a much larger share of the variance than over all of them.
FEWEST_FOR_PC1 = 32
DTYPES = {"fp32": torch.float32, "fp64": torch.float64}


def compare_models(
    model_a: nn.Module,
    model_b: nn.Module,
    batches: Iterable[Any],
    *,
    layers: str = "all",
    passes: int = 1,
    precision: str = "fp32",
    class_names: Sequence[str] | None = None,
) -> Comparison:
    """Find out what two classifiers share and where they differ.

    Args:
        model_a: any module that takes one tensor and returns logits, shape (n, classes).
        model_b: another one, for the same inputs and classes; preprocessing of its own can be a forward pre-hook.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices), where labels are integers of shape (n,)
            and indices say where each example stands in the data set. Minibatches should be drawn at random; each pass
            may shuffle anew.
        layers: `all` (leaf calls and block outputs, in execution order), or glob patterns of module names, separated by
            commas.
        passes: how often to go through the batches for CKA; predictions come from the first pass.
        precision: of the Gram matrices, `fp32` or `fp64`; sums are always float64.
        class_names: names of the classes; their numbers if not given.

    Returns:
        CKA of all pairs of layers, spans of alike layers, and the disagreement of the predictions.

    Raises:
        CompareError: fewer than 4 examples in every batch, models for different classes, or unusable arguments.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327.
    """
    _check_arguments(batches, passes, precision)
    stream = Stream(class_names)
    with ExitStack() as stack:
        run_a = stack.enter_context(LayerGrams(model_a, layers, DTYPES[precision]))
        run_b = run_a
        if model_b is not model_a:
            run_b = stack.enter_context(LayerGrams(model_b, layers, DTYPES[precision]))
        for number in range(passes):
            for inputs, labels, *indices in batches:
                stream.add(run_a, run_b, inputs, labels, indices, first_pass=number == 0)
    if not stream.cka.batches:
        raise CompareError(
            f"expected a minibatch of at least {MIN_EXAMPLES} examples, got {stream.examples} examples in all; "
            "use more examples or larger batches."
        )
    settings: dict[str, str | int | float | bool | None] = {
        "layers": layers,
        "passes": passes,
        "precision": precision,
        "estimator": "minibatch HSIC_1",
        "minibatches": stream.cka.batches,
        "block_threshold": THRESHOLD,
        "block_min_length": MIN_LENGTH,
        "block_dominant": DOMINANT,
    }
    return _result(stream, (model_a, model_b), (run_a, run_b), settings, passes)


def default_batch_size(examples: int) -> int:
    """The paper's 256; less where that leaves too few minibatches for a standard error, but enough for components."""
    return min(BATCH_SIZE, max(FEWEST_FOR_PC1, -(-examples // MIN_BATCHES)))


def _check_arguments(batches: Iterable[Any], passes: int, precision: str) -> None:
    if precision not in DTYPES:
        raise CompareError(f"precision must be {' or '.join(DTYPES)}, got {precision!r}.")
    if passes < 1:
        raise CompareError(f"passes must be at least 1, got {passes}.")
    if passes > 1 and isinstance(batches, Iterator):
        raise CompareError(
            "several passes need batches that can be gone through again, such as a list, got an iterator."
        )


def _result(
    stream: Stream,
    models: tuple[nn.Module, nn.Module],
    runs: tuple[LayerGrams, LayerGrams],
    settings: dict[str, str | int | float | bool | None],
    passes: int,
) -> Comparison:
    names_a, names_b = runs[0].names, runs[1].names
    a, b = slice(0, len(names_a)), slice(len(names_a), None)
    cka, error = stream.cka.compute(), stream.cka.standard_error(passes)
    fraction, alignment = stream.principal.fraction(), stream.principal.alignment()
    disagreement = _disagreement(stream)
    return Comparison(
        models=ModelPair(
            a=_describe(models[0], disagreement.accuracy_a, names_a, fraction[a]),
            b=_describe(models[1], disagreement.accuracy_b, names_b, fraction[b]),
        ),
        dataset=DatasetResult(
            name=None,
            split=None,
            examples=stream.examples,
            classes=tuple(row.name for row in disagreement.classes),
            fingerprint=None,
        ),
        cka=CKAResult(
            ab=_matrix(cka[a, b]),
            aa=_matrix(cka[a, a]),
            bb=_matrix(cka[b, b]),
            standard_error_ab=_matrix(error[a, b]),
            batch_size=stream.batch_size,
            passes=passes,
        ),
        block_structure=BlockPair(
            a=_spans(cka[a, a], fraction[a], alignment[a, a], names_a),
            b=_spans(cka[b, b], fraction[b], alignment[b, b], names_b),
        ),
        disagreement=disagreement,
        settings=settings,
        versions=_versions(),
        notes=tuple(_notes(stream, runs, cka, passes)),
    )


def _disagreement(stream: Stream) -> Disagreement:
    a, b = joined(stream.predicted_a), joined(stream.predicted_b)
    predictions = a.classes.numpy(), b.classes.numpy()
    labels, indices = torch.cat(stream.labels).numpy(), torch.cat(stream.indices).numpy()
    overall = class_disagreement(*predictions, labels, stream.class_names or ())
    examples = disagreed_examples(*predictions, a.confidence.numpy(), b.confidence.numpy(), labels, indices)
    return replace(overall, examples=examples)


def _describe(model: nn.Module, accuracy: float, layers: list[str], fraction: Tensor) -> ModelResult:
    kind = type(model).__name__
    return ModelResult(
        ref=None,
        name=kind,
        revision=None,
        sha256=None,
        architecture=kind,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        accuracy=accuracy,
        layers=tuple(layers),
        pc1_fraction=_row(fraction),
    )


def _spans(cka: Tensor, fraction: Tensor, alignment: Tensor, layers: list[str]) -> tuple[BlockSpan, ...]:
    return find_block_structure(cka.numpy(), fraction.numpy(), pc1_alignment=alignment.numpy(), layers=layers)


def _notes(stream: Stream, runs: tuple[LayerGrams, LayerGrams], cka: Tensor, passes: int) -> Iterator[str]:
    """Why values are missing, and what was left out."""
    names = [f"{model}: {layer}" for model, run in zip("ab", runs, strict=True) for layer in run.names]
    for layer, finite, missing in zip(names, stream.finite.tolist(), cka.diagonal().isnan().tolist(), strict=True):
        if missing:
            reason = "does not vary between examples" if finite else "has values that are not finite"
            yield f"{layer} {reason}; its cells are null."
    for model, run in zip("ab", runs, strict=True):
        for layer in sorted(run.left_out):
            yield f"{model}: {layer} is left out; its output does not hold one row of real numbers per example."
    if stream.too_short:
        yield f"{stream.too_short} examples in minibatches below {MIN_EXAMPLES} count in the predictions, not in CKA."
    if stream.batch_size < FEWEST_FOR_PC1:
        yield (
            f"PC1 fractions come out high from minibatches of {stream.batch_size} examples, and with them the kind of "
            f"spans; use at least {FEWEST_FOR_PC1}."
        )
    empty = set(range(len(stream.class_names or ()))) - set(torch.cat(stream.labels).tolist())
    if empty:
        yield f"{len(empty)} classes have no examples; their numbers are null."
    if stream.cka.batches < 2 * passes:
        yield "standard errors are null: they need at least two minibatches in a pass."
    for model, predicted in (("a", stream.predicted_a), ("b", stream.predicted_b)):
        bad = sum(int((~part.finite).sum()) for part in predicted)
        if bad:
            yield f"{model}: logits of {bad} examples are not finite; they count as its first class, with confidence 0."


def _matrix(values: Tensor) -> Matrix:
    return tuple(_row(row) for row in values)


def _row(values: Tensor) -> tuple[float | None, ...]:
    return tuple(None if value != value else value for value in values.tolist())


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("resnet-zoo", "torch", "numpy", "scipy")}
    return packages | {"python": platform.python_version()}
