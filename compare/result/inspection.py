"""Result of inspecting one model. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, JsonResult, Matrix, Settings
from compare.result.checks import check_inside, check_model, check_shape, check_spans
from compare.result.inside import Inside
from compare.result.models import DatasetResult, ModelResult
from compare.result.spans import BlockSpan


@dataclass(frozen=True)
class ProbeRow:
    """One linear probe.

    Without a probe, `reason` is set, and the accuracy, its interval, and the strength are None.

    Args:
        layer: name of the module.
        kind: `pre` for the input of the module (of an addition: the end of the residual branch), `post` for its output.
        features: number of features that the probe reads.
        accuracy: accuracy of the probe on the test examples, in [0, 1].
        low: lower end of the 95 % interval of the accuracy (Wilson).
        high: upper end of the 95 % interval of the accuracy.
        log10_strength: base-10 logarithm of the chosen regularisation strength.
        reason: why there is no probe; None if there is one.
    """

    layer: str
    kind: str
    features: int
    accuracy: float | None
    low: float | None
    high: float | None
    log10_strength: int | None
    reason: str | None


@dataclass(frozen=True)
class ProbeResult:
    """Linear probes of one model.

    Args:
        probes: one row per probe point, in the requested order.
        model_accuracy: accuracy of the model itself on the test examples, in [0, 1]. None, like its interval, if the
            number of logits differs from the number of classes.
        model_low: lower end of the 95 % interval of `model_accuracy` (Wilson).
        model_high: upper end of the 95 % interval of `model_accuracy`.
        classes: number of classes.
        train_examples: number of training examples.
        held_out_examples: number of training examples used to choose the regularisation strengths.
        test_examples: number of test examples.
        epochs: number of training passes.
        seed: random seed of the held-out examples.
    """

    probes: tuple[ProbeRow, ...]
    model_accuracy: float | None
    model_low: float | None
    model_high: float | None
    classes: int
    train_examples: int
    held_out_examples: int
    test_examples: int
    epochs: int
    seed: int


@dataclass(frozen=True)
class WithoutDominant:
    """The same analysis without the examples that dominate the blocks.

    Args:
        share: requested fraction of examples to remove: those with the largest squared PC1 scores, mean over the layers
            in block structure.
        examples: number of removed examples.
        cka: CKA of all pairs of layers on the remaining examples.
        spans: spans of similar layers on the remaining examples.
        score: block structure score on the remaining examples, in [0, 1].
    """

    share: float
    examples: int
    cka: Matrix
    spans: tuple[BlockSpan, ...]
    score: float


@dataclass(frozen=True)
class DeletedBlocks:
    """Accuracy of the model without the last residual blocks of one stage. Skip connections remain.

    Args:
        stage: name of the stage, such as `stage2`.
        removed: number of blocks removed from the end of the stage.
        first: first block removed, such as `stage2.7`; None if no block is removed.
        right: number of examples predicted correctly.
        examples: number of examples.
    """

    stage: str
    removed: int
    first: str | None
    right: int
    examples: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Inspection(JsonResult):
    """Inspection of one model: similarity of its layers, block structure, and what causes it.

    Args:
        format_version: version of the JSON format.
        kind: always `inspection`.
        model: the model, with the names of its layers.
        dataset: the examples that the model saw.
        cka: CKA of all pairs of layers.
        standard_error: standard error of each cell of `cka`, over draws of the examples; None where a few examples
            carry the similarity.
        block_structure: spans of similar layers.
        inside: uncertainty of the block structure, what causes it, and what remains without it.
        settings: all settings needed to reproduce the result.
        versions: versions of this package, Python, and the libraries it uses.
        notes: warnings: reasons for missing values, layers that were left out.
        without_dominant: the same analysis without the dominant examples; None if it was not requested.
        deletion: accuracy without the last 0, 1, ..., all blocks of each stage; empty if it was not requested.
        probes: accuracy of linear probes before and after each residual addition; None if it was not requested.
        cautions: the notes that a reader must know before the answer, such as that a model is near chance.

    Example:
        >>> import torch
        >>> import compare
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
        >>> result = compare.inspect_model(model, [(torch.randn(32, 8), torch.randint(3, (32,)))])
        >>> result.model.layers, result.inside.blocks
        (('0', '1', '2'), ())
    """

    format_version: int = FORMAT_VERSION
    kind: Literal["inspection"] = "inspection"
    model: ModelResult
    dataset: DatasetResult
    cka: Matrix
    standard_error: Matrix
    block_structure: tuple[BlockSpan, ...]
    inside: Inside
    settings: Settings
    versions: dict[str, str]
    notes: tuple[str, ...]
    without_dominant: WithoutDominant | None = None
    deletion: tuple[DeletedBlocks, ...] = ()
    probes: ProbeResult | None = None
    cautions: tuple[str, ...] = ()

    def _problems(self) -> Iterator[str]:
        layers, classes, without = len(self.model.layers), len(self.dataset.classes), self.without_dominant
        yield from check_model("model", self.model)
        yield from check_shape("cka", self.cka, layers, layers)
        yield from check_shape("standard_error", self.standard_error, layers, layers)
        yield from check_spans("block_structure", self.block_structure, layers)
        yield from check_inside("inside", self.inside, layers, classes)
        if without is not None:
            yield from check_shape("without_dominant.cka", without.cka, layers, layers)
            yield from check_spans("without_dominant.spans", without.spans, layers)
        for deleted in self.deletion:
            if not 0 <= deleted.right <= deleted.examples or not deleted.examples:
                yield f"deletion has {deleted.right} right of {deleted.examples} examples"
