"""The result of looking into one model: plain frozen values, written to JSON and read back. Needs no torch."""

from dataclasses import dataclass

from compare.block_structure import BlockSpan
from compare.inside import Inside, Matrix
from compare.probe_result import ProbeResult
from compare.result import FORMAT_VERSION, DatasetResult, JsonResult, ModelResult, Settings


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
