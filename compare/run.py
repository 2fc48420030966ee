"""Compare two models: one stream of minibatches through both, one result."""

import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn

from compare.block_structure import BlockSpan, find_block_structure
from compare.cka import MinibatchCKA
from compare.disagreement import Disagreement, class_disagreement, disagreed_examples
from compare.errors import CompareError
from compare.gram import MIN_EXAMPLES
from compare.layers import LayerGrams
from compare.principal import MinibatchPrincipal
from compare.result import BlockPair, CKAResult, Comparison, DatasetResult, Matrix, ModelPair, ModelResult

# The paper's minibatch, and how many of them a standard error should at least be taken over.
BATCH_SIZE, MIN_BATCHES = 256, 6
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
    stream = _Stream(class_names)
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
    }
    return _result(stream, (model_a, model_b), (run_a, run_b), settings, passes)


def default_batch_size(examples: int) -> int:
    """The paper's minibatch of 256, or less where that would leave too few minibatches for a standard error."""
    return max(MIN_EXAMPLES, min(BATCH_SIZE, -(-examples // MIN_BATCHES)))


@dataclass
class _Stream:
    """What is summed and kept while the minibatches pass."""

    class_names: Sequence[str] | None
    cka: MinibatchCKA = field(default_factory=MinibatchCKA)
    principal: MinibatchPrincipal = field(default_factory=MinibatchPrincipal)
    probabilities_a: list[Tensor] = field(default_factory=list)
    probabilities_b: list[Tensor] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)
    indices: list[Tensor] = field(default_factory=list)
    batch_size: int = 0
    too_short: int = 0
    finite: Tensor = field(default_factory=lambda: torch.tensor(True))

    @property
    def examples(self) -> int:
        """Examples of the first pass."""
        return sum(map(len, self.labels))

    def add(
        self,
        run_a: LayerGrams,
        run_b: LayerGrams,
        inputs: Tensor,
        labels: Tensor,
        indices: list[Tensor],
        first_pass: bool,
    ) -> None:
        """Run both models on one minibatch."""
        logits_a, grams_a = run_a.run(inputs)
        logits_b, grams_b = (logits_a, grams_a) if run_b is run_a else run_b.run(inputs)
        if first_pass:
            self._check_classes(logits_a, logits_b, labels)
            self.indices += indices or [torch.arange(self.examples, self.examples + len(labels))]
            self.labels.append(labels.cpu())
            self.probabilities_a.append(logits_a.double().softmax(1).cpu())
            self.probabilities_b.append(logits_b.double().softmax(1).cpu())
        if len(inputs) < MIN_EXAMPLES:
            self.too_short += len(inputs) if first_pass else 0
            return
        grams = torch.cat([grams_a, grams_b.to(grams_a.device)])
        self.batch_size = max(self.batch_size, len(inputs))
        self.finite = self.finite & grams.diagonal(dim1=1, dim2=2).sum(1).isfinite().cpu()
        self.cka.update_grams(grams)
        if first_pass:
            self.principal.update(grams)

    def _check_classes(self, logits_a: Tensor, logits_b: Tensor, labels: Tensor) -> None:
        classes = logits_a.shape[1]
        if logits_b.shape[1] != classes:
            raise CompareError(
                f"both models must have the same classes, got {classes} logits from a "
                f"and {logits_b.shape[1]} from b; compare models of one data set."
            )
        self.class_names = self.class_names or [str(i) for i in range(classes)]
        needed = max(len(self.class_names), int(labels.max()) + 1)
        if needed != classes:
            raise CompareError(
                f"the models give {classes} logits, but the data has {needed} classes; "
                "compare models on data of the classes they were trained for."
            )


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
    stream: _Stream,
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
        notes=tuple(_notes(stream, runs, passes)),
    )


def _disagreement(stream: _Stream) -> Disagreement:
    probabilities_a = torch.cat(stream.probabilities_a).nan_to_num(0.0).numpy()
    probabilities_b = torch.cat(stream.probabilities_b).nan_to_num(0.0).numpy()
    labels, indices = torch.cat(stream.labels).numpy(), torch.cat(stream.indices).numpy()
    predictions_a, predictions_b = probabilities_a.argmax(1), probabilities_b.argmax(1)
    overall = class_disagreement(predictions_a, predictions_b, labels, stream.class_names or ())
    return replace(overall, examples=disagreed_examples(probabilities_a, probabilities_b, labels, indices))


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


def _notes(stream: _Stream, runs: tuple[LayerGrams, LayerGrams], passes: int) -> Iterator[str]:
    """Why values are missing, and what was left out."""
    names = [f"{model}: {layer}" for model, run in zip("ab", runs, strict=True) for layer in run.names]
    for layer, finite, exists in zip(
        names, stream.finite.tolist(), (~stream.cka.compute().diagonal().isnan()).tolist(), strict=True
    ):
        if not exists:
            reason = "does not vary between examples" if finite else "has values that are not finite"
            yield f"{layer} {reason}; its cells are null."
    for model, run in zip("ab", runs, strict=True):
        for layer in sorted(run.left_out):
            yield f"{model}: {layer} is left out; its output does not hold one row per example."
    if stream.too_short:
        yield f"{stream.too_short} examples in minibatches below {MIN_EXAMPLES} count in the predictions, not in CKA."
    if stream.cka.batches < 2 * passes:
        yield "standard errors are null: they need at least two minibatches in a pass."
    for model, probabilities in (("a", stream.probabilities_a), ("b", stream.probabilities_b)):
        bad = int(torch.cat(probabilities).isnan().any(1).sum())
        if bad:
            yield f"{model}: logits of {bad} examples are not finite; they count as its first class, with confidence 0."


def _matrix(values: Tensor) -> Matrix:
    return tuple(_row(row) for row in values)


def _row(values: Tensor) -> tuple[float | None, ...]:
    return tuple(None if value != value else value for value in values.tolist())


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("resnet-zoo", "torch", "numpy", "scipy")}
    return packages | {"python": platform.python_version()}
