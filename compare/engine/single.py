"""Inspect one model in one pass over the data."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from compare.answers.answers import Answers
from compare.answers.cautions import find_cautions
from compare.answers.sources import with_sources
from compare.engine.describe import BLOCK_SETTINGS, describe, describe_data, find_spans, settings, versions
from compare.engine.inside import look_inside
from compare.engine.notes import notes
from compare.engine.numbers import matrix
from compare.engine.plan import Plan
from compare.engine.stream import Stream, run_stream
from compare.errors import UsageError
from compare.model.batch import checked_batch, chosen
from compare.model.class_names import find_class_names
from compare.model.frozen import Forward
from compare.model.trace import Model
from compare.result.inspection import Inspection, WithoutDominant
from compare.result.spans import BlockSpan, block_structures
from compare.structure.dominant import strongest
from compare.structure.spans import block_score, layers_in


def inspect_model(
    model: Model,
    batches: Iterable[Any],
    *,
    layers: str = "all",
    pool: str = "none",
    passes: int = 1,
    precision: str = "fp32",
    components: int = 1,
    drop_dominant: float | None = None,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
    model_classes: Sequence[str] | None = None,
    forward: Forward | None = None,
) -> Inspection:
    """Find block structure in one model, its uncertainty, what causes it, and what remains without it.

    Args:
        model: any module, as in `compare_models`.
        batches: a re-iterable of minibatches, as in `compare_models`.
        layers: `all`, `blocks`, `stages`, or glob patterns of module names, as in `compare_models`.
        pool: how features are pooled over positions: `none`, `mean`, or `cls`, as in `compare_models`.
        passes: number of passes over the batches for CKA; everything else comes from the first pass.
        precision: precision of the Gram matrices: `fp32`, `fp64`, or `bf16`.
        components: number of principal components to remove for a second CKA, 1 to 10.
        drop_dominant: fraction of the examples to remove for a second run, in (0, 1): those that dominate the blocks.
            The second run needs the module itself, not a tracer or replay. None skips it.
        seed: random seed of the half samples.
        class_names: names of the data's classes; if None, `batches.classes`, or else class numbers.
        model_classes: names of the classes of the model's logits, in order, as in `compare_models`.
        forward: called with the model and the inputs of a minibatch in place of the model itself; None calls the model.

    Returns:
        CKA of all pairs of layers, spans of similar layers, and an analysis of each block structure.

    Raises:
        CompareError: every minibatch has fewer than 4 examples, a label is not a class, or an argument is invalid.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327; 2022, arXiv:2202.07184 (dominant examples).

    Example:
        >>> import torch
        >>> from compare import inspect_model
        >>> _ = torch.manual_seed(0)
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
        >>> batches = [(torch.randn(32, 8), torch.randint(3, (32,))) for _ in range(2)]
        >>> result = inspect_model(model, batches)
        >>> result.block_structure, result.inside.score.score
        ((), 0.0)
    """
    if drop_dominant is not None and not 0 < drop_dominant < 1:
        raise UsageError(f"the share of dominant examples to drop must be between 0 and 1, got {drop_dominant}.")
    if components == 0:
        raise UsageError("expected at least one component to remove, got 0.")
    plan = Plan(layers, passes, precision, seed=seed, components=components, pool=pool, forward=forward)
    answers = Answers(*find_class_names([model], batches, class_names, [model_classes]))
    stream = run_stream([model], batches, plan, answers)
    spans = _spans(stream)
    cautions = tuple(find_cautions([model], stream.answers, ["It"]))
    result = Inspection(
        model=describe(stream, 0),
        dataset=describe_data(stream),
        cka=matrix(stream.cka.ratio()),
        standard_error=matrix(stream.cka.standard_error()),
        block_structure=spans,
        inside=look_inside(stream, 0, spans),
        settings=settings(stream) | BLOCK_SETTINGS | {"components": components, "drop_dominant": drop_dominant},
        versions=versions(),
        notes=(*cautions, *notes(stream, ["it"])),
        cautions=cautions,
    )
    result = with_sources(result, batches)
    blocks = block_structures(spans)
    if drop_dominant is None or blocks:
        return result if drop_dominant is None else _dropping(result, model, batches, stream, drop_dominant)
    return replace(result, notes=(*result.notes, "there is no block structure, so no dominant examples were left out."))


def _dropping(result: Inspection, model: Model, batches: Iterable[Any], stream: Stream, share: float) -> Inspection:
    """Repeat the analysis without the examples that dominate the blocks, and add it to the result."""
    blocks = block_structures(result.block_structure)
    layers = [layer for span in blocks for layer in layers_in(span, result.model.layers)]
    dropped = strongest(stream.interiors[stream.runs[0]].scores, layers, share)
    rest = _Without(batches, stream.answers.indices[torch.tensor(dropped)])
    plan = replace(stream.plan, components=0)
    repeated = run_stream([model], rest, plan, Answers(result.dataset.classes, None))
    spans = _spans(repeated)
    score = block_score(spans, repeated.principal.fraction().numpy(), result.model.layers)
    without = WithoutDominant(share, len(dropped), matrix(repeated.cka.ratio()), spans, score)
    return replace(result, without_dominant=without)


def _spans(stream: Stream) -> tuple[BlockSpan, ...]:
    principal = stream.principal
    return find_spans(stream.cka.ratio(), principal.fraction(), principal.alignment(), stream.runs[0].names)


class _Without:
    """Minibatches without some examples, given by index, or by position in the pass if batches have no indices."""

    def __init__(self, batches: Iterable[Any], dropped: Tensor) -> None:
        self._batches = batches
        self._dropped = dropped

    def __iter__(self) -> Iterator[tuple[Any, Tensor, Tensor]]:
        seen = 0
        for batch in self._batches:
            inputs, labels, indices = checked_batch(batch)
            if indices is None:
                indices = torch.arange(seen, seen + len(labels))
            seen += len(labels)
            remaining = ~torch.isin(indices.cpu(), self._dropped)
            yield chosen(inputs, remaining), labels[remaining], indices[remaining]
