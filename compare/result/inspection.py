"""The result of looking into one model: plain frozen values, written to JSON and read back. Needs no torch."""

from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, JsonResult, Matrix, Settings
from compare.result.inside import Inside
from compare.result.models import DatasetResult, ModelResult
from compare.result.spans import BlockSpan


@dataclass(frozen=True)
class ProbeRow:
    """One probe.

    Args:
        layer: name of the module.
        kind: `pre`, before the module, of an addition the end of the residual branch; `post`, after it.
        features: numbers per example that it reads.
        accuracy: fraction of the test examples that it gets right, in [0, 1]; None, like all that follows but the
            reason, if there is no probe.
        low: lower end of the 95 % interval of the accuracy (Wilson).
        high: upper end.
        log10_strength: base-10 logarithm of the chosen strength of regularisation.
        reason: why there is no probe.
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
    """Probes of one model.

    Args:
        probes: one per site, in the order in which they were asked for.
        model_accuracy: fraction of the test examples that the model itself gets right; None, like its interval, if it
            has another number of logits than there are classes.
        model_low: lower end of its 95 % interval (Wilson).
        model_high: upper end.
        classes: how many.
        train_examples: that the probes learned from.
        held_out_examples: of these, that chose the strengths of regularisation.
        test_examples: that accuracies come from.
        epochs: passes in which the probes learned.
        seed: of the held-out examples.
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
    """What is left without the examples that carry the blocks.

    Args:
        share: of all examples that was left out: those with the largest squared PC1 scores, mean over the layers in
            block structure.
        examples: how many that was.
        cka: CKA of every two layers on the others.
        spans: spans of layers that are alike on the others.
        score: how much block structure is left.
    """

    share: float
    examples: int
    cka: Matrix
    spans: tuple[BlockSpan, ...]
    score: float


@dataclass(frozen=True)
class DeletedBlocks:
    """What the model gets right without the last residual blocks of one stage, its skip connections kept.

    Args:
        stage: its name, such as `stage2`.
        removed: how many blocks, from the end of the stage.
        first: the first block removed, such as `stage2.7`; None if none is.
        right: examples that it gets right.
        examples: examples.
    """

    stage: str
    removed: int
    first: str | None
    right: int
    examples: int


@dataclass(frozen=True, kw_only=True)
class Inspection(JsonResult):
    """What one model looks like inside.

    Args:
        format_version: version of this layout.
        kind: distinguishes this JSON from that of the other results.
        model: the model.
        dataset: the examples it saw.
        cka: CKA of every two layers.
        standard_error: of each cell.
        block_structure: spans of alike layers.
        inside: how sure they are, what carries them, and what is left without.
        settings: how it was computed, enough to do it again.
        versions: of the program and the libraries.
        notes: what a reader must know: reasons for missing values, layers left out.
        without_dominant: what is left without the examples that carry the blocks, if it was asked for.
        deletion: what is right without the last 0, 1, ..., all blocks of each stage, if it was asked for.
        probes: how much of the classes can be read off before and after each residual addition, if it was asked for.
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
