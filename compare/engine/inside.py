"""Analyse the block structure of one model: its uncertainty, its cause, and what remains without it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from compare.engine.numbers import matrix
from compare.engine.stream import Interior
from compare.result.inside import AtThreshold, Block, BlockScore, Inside
from compare.result.spans import BlockSpan, block_structures
from compare.similarity.halves import HalfSamples
from compare.structure.dominant import dominant_examples
from compare.structure.spans import THRESHOLD, THRESHOLDS, block_score, find_block_structure, layers_in, mean_of_pairs

if TYPE_CHECKING:
    from compare.engine.stream import Stream

Array = npt.NDArray[np.float64]
# A half sample has the same block if the intersection is more than this fraction of the union.
SAME = 0.5


class Replicates(NamedTuple):
    """Spans and PC1 fractions in half samples of the examples.

    Attributes:
        results: spans and PC1 fractions, shape (L,), of each half sample.
        halves: the half samples.
    """

    results: tuple[tuple[Sequence[BlockSpan], Array], ...]
    halves: HalfSamples

    def interval(self, values: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
        """95 % interval of a statistic, given its values in the half samples; None if there are none."""
        if not values:
            return None, None
        low, high = np.quantile(values, self.halves.levels)
        return float(low), float(high)


def look_inside(stream: "Stream", number: int, spans: Sequence[BlockSpan]) -> Inside:
    """Analyse the block structure of one of the stream's models.

    Args:
        stream: a finished stream whose plan removes components.
        number: number of the model in the stream.
        spans: spans of similar layers in the model.
    """
    run, part = stream.runs[number], stream.parts[number]
    interior, layers = stream.interiors[run], run.names
    halves = interior.halves
    assert halves is not None
    fraction = stream.principal.fraction()[part]
    without = stream.without.ratio()[part, part]
    replicates = Replicates(
        tuple((find_block_structure(cka, other, layers=layers), other) for cka, other in halves.replicates(fraction)),
        halves,
    )
    return Inside(
        score=_score(spans, replicates, stream.cka.ratio()[part, part].numpy(), fraction.numpy(), layers),
        blocks=tuple(
            _block(stream, interior, span, layers_in(span, layers), replicates, without.numpy())
            for span in block_structures(spans)
        ),
        pc1_alignment=matrix(stream.principal.alignment()[part, part]),
        components=stream.plan.components,
        cka_without=matrix(without),
        spans_without=find_block_structure(without.numpy(), layers=layers),
        pc1_cka=matrix(stream.first_components.part()[part, part]),
    )


def _score(
    spans: Sequence[BlockSpan], replicates: Replicates, cka: Array, fraction: Array, layers: Sequence[str]
) -> BlockScore:
    low, high = replicates.interval([block_score(*replicate, layers) for replicate in replicates.results])
    curve = tuple(_at_threshold(threshold, cka, fraction, layers) for threshold in THRESHOLDS)
    return BlockScore(block_score(spans, fraction, layers), low, high, curve)


def _at_threshold(threshold: float, cka: Array, fraction: Array, layers: Sequence[str]) -> AtThreshold:
    spans = find_block_structure(cka, fraction, layers=layers, threshold=threshold)
    return AtThreshold(threshold, block_score(spans, fraction, layers), len(block_structures(spans)))


def _block(
    stream: "Stream",
    interior: Interior,
    span: BlockSpan,
    layers: list[int],
    replicates: Replicates,
    without: Array,
) -> Block:
    fraction, borders = _borders(span, replicates)
    square = without[np.ix_(layers, layers)]
    mean = mean_of_pairs(square) if np.isfinite(square).any() else np.nan
    answers = stream.answers
    return Block(
        span.start,
        span.stop,
        fraction,
        *borders,
        mean_cka_without=None if np.isnan(mean) else mean,
        survives=mean >= THRESHOLD,
        dominant=dominant_examples(
            interior.scores, layers, answers.indices, answers.labels if answers.labelled else None
        ),
    )


def _borders(
    span: BlockSpan, replicates: Replicates
) -> tuple[float | None, tuple[float | None, float | None, float | None, float | None]]:
    """Fraction of half samples that have the same block, and 95 % intervals of its start and stop."""
    if not replicates.results:
        return None, (None, None, None, None)
    same = [
        other for spans, _ in replicates.results for other in block_structures(spans) if _overlap(span, other) > SAME
    ]
    starts, stops = ([float(getattr(other, border)) for other in same] for border in ("start", "stop"))
    return len(same) / len(replicates.results), (*replicates.interval(starts), *replicates.interval(stops))


def _overlap(a: BlockSpan, b: BlockSpan) -> float:
    """Intersection over union of two spans."""
    return len(_layers(a) & _layers(b)) / len(_layers(a) | _layers(b))


def _layers(span: BlockSpan) -> set[int]:
    return set(range(span.start, span.stop))
