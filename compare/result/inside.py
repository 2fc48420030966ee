"""Analysis of the block structure of one model: amount, uncertainty, and cause. Needs no torch."""

from dataclasses import dataclass

from compare.result.base import Matrix
from compare.result.spans import BlockSpan


@dataclass(frozen=True)
class AtThreshold:
    """Block structure of a model for one threshold of CKA.

    Args:
        threshold: mean CKA above which layers count as similar.
        score: block structure score, in [0, 1].
        blocks: number of block structures.
    """

    threshold: float
    score: float
    blocks: int


@dataclass(frozen=True)
class BlockScore:
    """Amount of block structure in a model.

    Args:
        score: mean of the PC1 fraction over the outputs of all residual blocks, or over all layers of a model without
            residual blocks, counting those outside of block structure as 0, in [0, 1]; see
            `compare.structure.spans.block_score`.
        low: lower end of the 95 % interval over draws of the examples, from half samples; None if the minibatches are
            too small to be halved.
        high: upper end of the 95 % interval; None like `low`.
        curve: score and number of blocks for thresholds from 0.8 to 0.95; empty in results of an older version.
    """

    score: float
    low: float | None
    high: float | None
    curve: tuple[AtThreshold, ...] = ()


@dataclass(frozen=True)
class DominantExample:
    """One example that dominates some layers, such as those of a block.

    Args:
        index: position in the dataset split.
        label: class number; None without labels.
        pc1_share: the example's share of all squared PC1 scores, mean over these layers, in [0, 1].
        norm_share: the example's share of all squared norms of the centred features, mean over these layers, in [0, 1].
        path: file of the image, relative to the dataset's folder; None if it has no file of its own, or it is unknown.
        row: row of the image in the table that it comes from; None if it has a file, or it is unknown.
    """

    index: int
    label: int | None
    pc1_share: float
    norm_share: float
    path: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class DominantExamples:
    """The examples that dominate one block: the top 1 % of the examples by squared PC1 score, at least one.

    Args:
        count: number of these examples.
        pc1_share: their share of all squared PC1 scores, mean over the layers of the block, in [0, 1].
        norm_share: their share of all squared norms of the centred features, mean over the layers, in [0, 1].
        layer_overlap: overlap of the top 1 % of two different layers of the block, mean over pairs of layers, in
            [0, 1]; 0.01 on average for unrelated layers.
        to_median: largest absolute PC1 score divided by the median one; None if the median is 0.
        examples: the strongest examples, in descending order, at most 10.
    """

    count: int
    pc1_share: float
    norm_share: float
    layer_overlap: float
    to_median: float | None
    examples: tuple[DominantExample, ...]


@dataclass(frozen=True)
class Block:
    """Analysis of one block structure.

    `found` and the intervals of the borders come from half samples of the examples. They are None if the minibatches
    are too small to be halved.

    Args:
        start: index of the first layer.
        stop: index after the last layer.
        found: fraction of the half samples in which the block is found again, in [0, 1].
        start_low: lower end of the 95 % interval of `start`.
        start_high: upper end of the 95 % interval of `start`.
        stop_low: lower end of the 95 % interval of `stop`.
        stop_high: upper end of the 95 % interval of `stop`.
        mean_cka_without: mean CKA over pairs of the block's layers after removing the first components; None if it has
            no value. Of a span of block outputs, only these count, also for the dominant examples.
        survives: whether the layers still count as similar after removing the first components.
        dominant: the examples that dominate the block.
    """

    start: int
    stop: int
    found: float | None
    start_low: float | None
    start_high: float | None
    stop_low: float | None
    stop_high: float | None
    mean_cka_without: float | None
    survives: bool
    dominant: DominantExamples


@dataclass(frozen=True)
class Inside:
    """Analysis of the block structure of one model.

    Args:
        score: amount of block structure.
        blocks: analysis of each block structure, in layer order.
        pc1_alignment: squared cosine of the first score vectors of each two layers, in [0, 1].
        components: number of principal components removed for `cka_without` and `spans_without`.
        cka_without: CKA of all pairs of layers after removing the first components from each minibatch.
        spans_without: spans of similar layers in `cka_without`.
        pc1_cka: the part of CKA that is due to the first components of both layers: HSIC of the layers reduced to their
            first components, over the same denominator as CKA. None in older files.
    """

    score: BlockScore
    blocks: tuple[Block, ...]
    pc1_alignment: Matrix
    components: int
    cka_without: Matrix
    spans_without: tuple[BlockSpan, ...]
    pc1_cka: Matrix | None = None


@dataclass(frozen=True)
class SharedExamples:
    """Whether the same examples dominate a block of a and a block of b.

    Args:
        a: number of the block in model a, counted from 0 in layer order.
        b: number of the block in model b, counted from 0 in layer order.
        overlap: fraction of the dominant examples (top 1 %) that the two blocks share, in [0, 1].
        expected: expected overlap of unrelated blocks.
        p_value: probability of at least this overlap for unrelated blocks (hypergeometric), not corrected for several
            pairs.
    """

    a: int
    b: int
    overlap: float
    expected: float
    p_value: float


@dataclass(frozen=True)
class InsidePair:
    """Analysis of the block structure of both models.

    Args:
        a: analysis of model a.
        b: analysis of model b.
        shared_examples: overlap of dominant examples, one entry per block of a and block of b.
    """

    a: Inside
    b: Inside
    shared_examples: tuple[SharedExamples, ...]
