"""What one model looks like inside: how much block structure, how sure, and what carries it. Needs no torch."""

from dataclasses import dataclass

from compare.result.base import Matrix
from compare.result.spans import BlockSpan


@dataclass(frozen=True)
class BlockScore:
    """How much block structure a model has.

    Args:
        score: share of its layers' variance that lies on components which carry a block, in [0, 1]; see
            `compare.structure.spans.block_score`.
        low: lower end of the 95 % interval over draws of the examples, from half samples; None if the minibatches are
            too small to be halved.
        high: upper end.
    """

    score: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class DominantExample:
    """One of the examples that carry a block.

    Args:
        index: where it stands in its split.
        label: its class.
        pc1_share: its share of the squared PC1 scores, mean over the layers of the block, in [0, 1].
        norm_share: its share of the squared norms of the centred features, mean over the layers, in [0, 1].
    """

    index: int
    label: int
    pc1_share: float
    norm_share: float


@dataclass(frozen=True)
class DominantExamples:
    """The examples that carry one block.

    Args:
        count: the top 1 % of the examples, at least one; what follows is about these.
        pc1_share: their share of the squared PC1 scores, mean over the layers, in [0, 1].
        norm_share: their share of the squared norms of the centred features, mean over the layers, in [0, 1].
        layer_overlap: share of each layer's own top 1 % that another layer of the block has too, mean over pairs of
            different layers, in [0, 1]; 1 % on average between unrelated layers.
        to_median: how many times the largest |PC1 score| is the median one; None if the median is 0.
        examples: the strongest of them, at most 10.
    """

    count: int
    pc1_share: float
    norm_share: float
    layer_overlap: float
    to_median: float | None
    examples: tuple[DominantExample, ...]


@dataclass(frozen=True)
class Block:
    """One block structure of a model, looked at closely.

    Args:
        start: index of its first layer.
        stop: index after its last layer.
        found: share of half samples of the examples in which it is found too, in [0, 1]; None, like the borders, if the
            minibatches are too small to be halved.
        start_low: lower end of the 95 % interval of its start.
        start_high: upper end.
        stop_low: lower end of the 95 % interval of its stop.
        stop_high: upper end.
        mean_cka_without: mean CKA over pairs of its layers after the first components are removed.
        survives: whether its layers count as alike even then.
        dominant: the examples that carry it.
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
    """What one model looks like inside.

    Args:
        score: how much block structure it has.
        blocks: its block structures, in layer order.
        pc1_alignment: squared cosine of every two layers' first score vectors, in [0, 1].
        components: how many principal components are removed in what follows.
        cka_without: CKA of every two layers after these are removed from each minibatch.
        spans_without: spans of layers that are alike even then.
    """

    score: BlockScore
    blocks: tuple[Block, ...]
    pc1_alignment: Matrix
    components: int
    cka_without: Matrix
    spans_without: tuple[BlockSpan, ...]


@dataclass(frozen=True)
class SharedExamples:
    """Whether two models' blocks are carried by the same examples.

    Args:
        a: number of a block of a, from 0, in the order of its layers.
        b: number of a block of b.
        overlap: share of the top 1 % of one that the other has too, in [0, 1].
        expected: the same if they had nothing to do with each other.
        p_value: probability of at least this overlap then (hypergeometric), for this pair alone.
    """

    a: int
    b: int
    overlap: float
    expected: float
    p_value: float


@dataclass(frozen=True)
class InsidePair:
    """Both models, and what their blocks share."""

    a: Inside
    b: Inside
    shared_examples: tuple[SharedExamples, ...]
