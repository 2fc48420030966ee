"""Similarity beside an untrained copy: how much of the similarity of two models comes from training."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate, chain, combinations, permutations
from math import inf, sqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor

from compare.engine.best_match import CentredLayers, Match, PairsCKA, best_match, centred_layers
from compare.engine.plan import Plan
from compare.engine.processes import rank_and_count
from compare.errors import CompareError
from compare.model.batch import checked_batch, device_of, examples_in
from compare.model.trace import Model, Run, running
from compare.result.comparison import Baseline, BaselineSide
from compare.similarity.gram import MIN_EXAMPLES

# Fewest examples for an interval. With fewer, the normal approximation is unreliable.
FEWEST_EXAMPLES = 32
# Numbers of two models.
Pair = tuple[int, int]


def check_baseline(baseline: Any, models: int, batches: Iterable[Any]) -> None:
    """Check untrained copies that a caller gives.

    Args:
        baseline: the untrained copies of each model; None if there is no baseline.
        models: number of models.
        batches: the minibatches.

    Raises:
        CompareError: it is incomplete, the batches cannot be iterated again, or there are several processes.
    """
    if baseline is None:
        return
    is_complete = isinstance(baseline, tuple | list) and len(baseline) == models
    if not is_complete or not all(isinstance(copies, tuple | list) for copies in baseline):
        raise CompareError(
            f"expected one tuple of untrained copies for each of the {models} models, such as ((a0,), (b0,)) for two, "
            f"got {type(baseline).__name__}; a tuple may be empty."
        )
    if isinstance(batches, Iterator):
        raise CompareError("a baseline needs batches that can be iterated again, such as a list, got an iterator.")
    if (count := rank_and_count()[1]) > 1:
        raise CompareError(f"a baseline needs a single process, got {count}; omit it, or run one.")


class Sweep(NamedTuple):
    """Models and minibatches of one sweep over the data.

    Attributes:
        models: the models to compare.
        copies: untrained copies of each model; empty for a model without copies.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
    """

    models: Sequence[Model]
    copies: Sequence[Sequence[Model]]
    batches: Iterable[Any]

    @property
    def all_models(self) -> list[Model]:
        """The models, followed by the copies of the first one, those of the second one, ..."""
        return [*self.models, *chain(*self.copies)]

    @property
    def pairs(self) -> dict[Pair, list[Pair]]:
        """For any two models, in both orders: the numbers of the first one and of each copy of the second one."""
        starts = accumulate(map(len, self.copies), initial=len(self.models))
        numbers = [range(start, start + len(copies)) for start, copies in zip(starts, self.copies, strict=False)]
        return {(i, j): [(i, copy) for copy in numbers[j]] for i, j in permutations(range(len(self.models)), 2)}


class Examples(NamedTuple):
    """The examples of one minibatch.

    Attributes:
        indices: position of each example in the dataset, shape (n,), on the CPU.
        weight: weight of their influences; 0 if they are not needed.
    """

    indices: Tensor
    weight: int


# Receives the number of a model, its layers on one minibatch, and the minibatch's examples. Models come in the order of
# `Sweep.all_models`.
Use = Callable[[int, CentredLayers, Examples], object]


def find_baselines(
    open_sweep: Callable[[], AbstractContextManager[Sweep]],
    plan: Plan,
    minibatches: int,
    seeds: Sequence[int],
    names: Sequence[str],
) -> tuple[dict[Pair, Baseline | None], tuple[str, ...]]:
    """Compare the best matches between all pairs of models with those between each model and untrained copies.

    This takes two sweeps over the data. The first one finds the best matches. The second one computes the influence of
    each example on them. Memory holds the Gram matrices of one minibatch of all models and one copy, the products of
    the layers of all models with those of all others and all copies, and one number per example and pair.

    Args:
        open_sweep: opens models and minibatches; called twice.
        plan: options of the comparison.
        minibatches: number of minibatches that the CKA of the comparison comes from.
        seeds: seeds of the untrained copies, for the result.
        names: names of the models in the notes.

    Returns:
        The baseline of each pair (a, b) with a < b, and notes with the reasons for what is missing. A baseline is None
        if it is missing for both models.
    """
    with open_sweep() as sweep:
        sides = _find_sides(sweep, plan, minibatches)
    existing = [side for side in sides.values() if side.exists]
    influences = _Influences(existing, len(sweep.models))
    if existing:
        with open_sweep() as sweep:
            _go_through(sweep, plan, minibatches, influences.add)
    results = {pair: side.result(influences) for pair, side in sides.items()}
    baselines = {}
    for a, b in combinations(range(len(sweep.models)), 2):
        of_a, of_b = results[a, b], results[b, a]
        baselines[a, b] = Baseline(tuple(seeds), of_a, of_b) if of_a or of_b else None
    return baselines, tuple(_notes(sides, names, influences))


def _find_sides(sweep: Sweep, plan: Plan, minibatches: int) -> "dict[Pair, _Side]":
    pairs = sweep.pairs
    sums = PairsCKA([*combinations(range(len(sweep.models)), 2), *chain(*pairs.values())])
    _go_through(sweep, plan, minibatches, lambda number, layers, _: sums.add(number, layers))
    return {
        trained: _Side(best_match(sums, trained), [best_match(sums, pair) for pair in untrained])
        for trained, untrained in pairs.items()
    }


class _Side:
    """The best matches of the layers of one model in another model and in its untrained copies."""

    def __init__(self, trained: Match, untrained: list[Match]) -> None:
        rows = trained.rows
        for match in untrained:
            rows = rows[torch.isin(rows, match.rows)]
        self.trained = trained.only(rows)
        self.untrained = [match.only(rows) for match in untrained]
        # Influences of the examples on the trained similarity minus the untrained one, one tensor per minibatch.
        self.influences: list[Tensor] = []

    @property
    def exists(self) -> bool:
        """Whether any layer has a match in all models."""
        return bool(self.untrained) and len(self.trained.rows) > 0

    @property
    def terms(self) -> list[tuple[Match, float]]:
        """The matches, and their factors in the trained similarity minus the untrained one."""
        return [(self.trained, 1.0), *((match, -1 / len(self.untrained)) for match in self.untrained)]

    def result(self, influences: "_Influences") -> BaselineSide | None:
        """The side in the result; None if it does not exist."""
        if not self.exists:
            return None
        trained = self.trained.cka.mean().item()
        copies = torch.stack([match.cka.mean() for match in self.untrained])
        above = trained - copies.mean().item()
        width = self._width(copies, influences)
        low, high = (None, None) if width is None else (above - width, above + width)
        return BaselineSide(trained, copies.mean().item(), above, low, high)

    def _width(self, copies: Tensor, influences: "_Influences") -> float | None:
        """Half the width of the 95 % interval; None with too few examples.

        The variance over examples is that of the influences, which are first summed over passes. The model itself is
        one draw of the initial weights and the copies are others, so their variance is added if there are several.
        Degrees of freedom are those of Satterthwaite.
        """
        from scipy.special import ndtri, stdtrit

        examples, places = influences.examples
        if examples < FEWEST_EXAMPLES:
            return None
        values = torch.cat(self.influences)
        per_example = torch.zeros(examples, dtype=values.dtype, device="cpu").index_add(0, places, values)
        of_examples = examples * per_example.var().item()
        count = len(copies)
        of_weights = copies.var().item() * (1 + 1 / count) if count > 1 else 0.0
        total = of_examples + of_weights
        freedom = (count - 1) * (total / of_weights) ** 2 if of_weights else inf
        quantile = ndtri(0.975) if freedom == inf else stdtrit(freedom, 0.975)
        return float(quantile) * sqrt(total)


class _Influences:
    """Adds the influences of the examples to the existing sides. Copies have numbers from `models` on."""

    def __init__(self, sides: Sequence[_Side], models: int) -> None:
        self._sides = sides
        self._models = models
        self._layers: dict[int, CentredLayers] = {}
        self._indices: list[Tensor] = []

    @property
    def examples(self) -> tuple[int, Tensor]:
        """Number of different examples, and the number of the example that each influence belongs to."""
        indices, places = torch.cat(self._indices).unique(return_inverse=True)
        return len(indices), places

    def add(self, number: int, layers: CentredLayers, examples: Examples) -> None:
        """Add one model on one minibatch."""
        if number == 0:
            self._indices.append(examples.indices)
            for side in self._sides:
                side.influences.append(torch.zeros(len(examples.indices), dtype=torch.float64, device="cpu"))
        self._layers[number] = layers
        for side in self._sides:
            for match, factor in side.terms:
                if max(match.pair) == number and examples.weight:
                    first, second = (self._layers[other] for other in match.pair)
                    side.influences[-1] += examples.weight * factor * match.influences(first, second)
        if number >= self._models:
            del self._layers[number]


def _go_through(sweep: Sweep, plan: Plan, minibatches: int, use: Use) -> None:
    """Run all models on the minibatches of a pass with the same plan.

    Args:
        sweep: models and minibatches.
        plan: options of the pass.
        minibatches: number of minibatches of at least 4 examples to use.
        use: called with every model on every minibatch of at least 4 examples.
    """
    used = 0
    with running(sweep.all_models, plan.layers, plan.dtype, plan.pool, plan.forward) as runs:
        for number in range(plan.passes):
            first = 0
            for inputs, labels, indices in map(checked_batch, sweep.batches):
                if not len(labels):
                    continue
                is_long = len(labels) >= MIN_EXAMPLES
                if is_long and used == minibatches:
                    return
                examples = _examples(indices, first, len(labels), number, plan.passes)
                for model, layers in _layers_of_all(runs, inputs, plan):
                    if layers is not None:
                        use(model, layers, examples)
                used += is_long
                first += len(labels)


def _examples(indices: Tensor | None, first: int, count: int, number: int, passes: int) -> Examples:
    """The examples of a minibatch of a pass, from 0.

    Without indices, examples cannot be found again in later passes, so the first pass stands for all.
    """
    if indices is not None:
        return Examples(indices.cpu(), 1)
    return Examples(torch.arange(first, first + count, device="cpu"), 0 if number else passes)


def _layers_of_all(runs: Sequence[Run], inputs: Any, plan: Plan) -> Iterator[tuple[int, CentredLayers | None]]:
    """Number and layers of each model. A model that occurs several times runs once."""
    layers: dict[Run, CentredLayers | None] = {}
    for number, run in enumerate(runs):
        if run not in layers:
            layers[run] = _layers(run, inputs, plan)
        yield number, layers[run]
        if run not in runs[number + 1 :]:
            del layers[run]


def _layers(run: Run, inputs: Any, plan: Plan) -> CentredLayers | None:
    """Layers of one model on one minibatch; None if it has too few examples."""
    if not run.names:
        run.find(inputs)
    n = examples_in(inputs)
    if n < MIN_EXAMPLES:
        run.run(inputs, None)
        return None
    dtype, device = torch.promote_types(plan.dtype, torch.float32), run.device or device_of(inputs)
    grams = torch.empty(len(run.names), n, n, dtype=dtype, device=device)
    run.run(inputs, grams)
    # Apple GPUs have no double precision.
    return centred_layers(grams.cpu() if grams.device.type == "mps" else grams)


def _notes(sides: dict[Pair, _Side], names: Sequence[str], influences: _Influences) -> Iterator[str]:
    """Notes about what is missing."""
    for (one, other), side in sides.items():
        if side.untrained and not side.exists:
            name, of = names[one], names[other]
            yield f"{name}: no layer can be compared with an untrained copy of {of}; its baseline is null."
    if any(side.exists for side in sides.values()) and influences.examples[0] < FEWEST_EXAMPLES:
        yield (
            "differences from untrained copies have no interval; they need at least "
            f"{FEWEST_EXAMPLES} examples, got {influences.examples[0]}."
        )
