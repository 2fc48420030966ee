"""Similarity beside an untrained copy: how much of the similarity of two models comes from training."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from math import inf, sqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor

from compare.engine.best_match import Match, PairsCKA, best_match
from compare.engine.plan import Plan
from compare.model.batch import checked_batch
from compare.model.trace import Model, Run, running
from compare.result.comparison import Baseline, BaselineSide
from compare.similarity.gram import MIN_EXAMPLES, u_centre_

# Fewest examples for an interval. With fewer, the normal approximation is unreliable.
FEWEST_EXAMPLES = 32
# Numbers of the models in a sweep: a in b, and b in a.
TRAINED = (0, 1), (1, 0)


class Sweep(NamedTuple):
    """Models and minibatches of one sweep over the data.

    Attributes:
        a: model a.
        b: model b.
        copies_a: untrained copies of a; empty if there are none.
        copies_b: untrained copies of b; empty if there are none.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
    """

    a: Model
    b: Model
    copies_a: Sequence[Model]
    copies_b: Sequence[Model]
    batches: Iterable[Any]

    @property
    def models(self) -> list[Model]:
        """All models: a, b, the copies of a, and the copies of b."""
        return [self.a, self.b, *self.copies_a, *self.copies_b]

    @property
    def pairs(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Numbers of the models to compare: a with each copy of b, and b with each copy of a."""
        middle = 2 + len(self.copies_a)
        return [(0, copy) for copy in range(middle, len(self.models))], [(1, copy) for copy in range(2, middle)]


# Receives the number of a model, its U-centred Gram matrices on one minibatch, shape (L, n, n), and the minibatch's
# examples. Models come in the order of `Sweep.models`.
Use = Callable[[int, Tensor, "Examples"], object]


class Examples(NamedTuple):
    """The examples of one minibatch.

    Attributes:
        indices: position of each example in the dataset, shape (n,); None if unknown.
        first: number of examples in earlier minibatches of the pass.
        number: number of the pass, from 0.
    """

    indices: Tensor | None
    first: int
    number: int


def find_baseline(
    open_sweep: Callable[[], AbstractContextManager[Sweep]],
    plan: Plan,
    minibatches: int,
    seeds: Sequence[int],
) -> tuple[Baseline | None, tuple[str, ...]]:
    """Compare the best matches between two models with those between each model and untrained copies of the other.

    This takes two sweeps over the data. The first one finds the best matches. The second one computes the influence of
    each example on them. Memory holds the Gram matrices of one minibatch of three models, and some numbers per example.

    Args:
        open_sweep: opens models and minibatches; called twice.
        plan: options of the comparison.
        minibatches: number of minibatches that the CKA of the comparison comes from.
        seeds: seeds of the untrained copies, for the result.

    Returns:
        The baseline, and notes with the reasons for what is missing. The baseline is None if it is missing for both
        models.
    """
    with open_sweep() as sweep:
        pairs = sweep.pairs
        sums = PairsCKA([TRAINED[0], *chain(*pairs)])
        _go_through(sweep, plan, minibatches, lambda number, grams, _: sums.add(number, grams))
    sides = [
        _Side(best_match(sums, trained), [best_match(sums, pair) for pair in untrained])
        for trained, untrained in zip(TRAINED, pairs, strict=True)
    ]
    if any(side.exists for side in sides):
        influences = _Influences(sides, plan.passes)
        with open_sweep() as sweep:
            _go_through(sweep, plan, minibatches, influences.add)
    notes = tuple(chain(*(_notes(side, *names) for side, names in zip(sides, ("ab", "ba"), strict=True))))
    a, b = (side.result() for side in sides)
    return (Baseline(tuple(seeds), a, b) if a or b else None), notes


class _Side:
    """The best matches of the layers of one model in the other model and in its untrained copies."""

    def __init__(self, trained: Match, untrained: list[Match]) -> None:
        rows = trained.rows
        for match in untrained:
            rows = rows[torch.isin(rows, match.rows)]
        self.trained = trained.only(rows)
        self.untrained = [match.only(rows) for match in untrained]
        self._indices: list[Tensor] = []
        self._influences: list[Tensor] = []

    @property
    def exists(self) -> bool:
        """Whether any layer has a match in all models."""
        return bool(self.untrained) and len(self.trained.rows) > 0

    @property
    def examples(self) -> int:
        """Number of different examples."""
        return len(torch.cat(self._indices).unique())

    def add(self, indices: Tensor, influences: Tensor) -> None:
        """Add influences on the trained similarity, or, negative, on the untrained one.

        Args:
            indices: positions of the examples, shape (n,).
            influences: shape (n,).
        """
        self._indices.append(indices)
        self._influences.append(influences)

    def result(self) -> BaselineSide | None:
        """The side in the result; None if it does not exist."""
        if not self.exists:
            return None
        trained = self.trained.cka.mean().item()
        copies = torch.stack([match.cka.mean() for match in self.untrained])
        above = trained - copies.mean().item()
        width = self._width(copies)
        low, high = (None, None) if width is None else (above - width, above + width)
        return BaselineSide(trained, copies.mean().item(), above, low, high)

    def _width(self, copies: Tensor) -> float | None:
        """Half the width of the 95 % interval; None with too few examples.

        The variance over examples is that of the influences, which are first summed over passes. The model itself is
        one draw of the initial weights and the copies are others, so their variance is added if there are several.
        Degrees of freedom are those of Satterthwaite.
        """
        from scipy.stats import t

        if self.examples < FEWEST_EXAMPLES:
            return None
        _, places = torch.cat(self._indices).unique(return_inverse=True)
        values = torch.cat(self._influences)
        per_example = torch.zeros(self.examples, dtype=values.dtype, device="cpu").index_add(0, places, values)
        of_examples = self.examples * per_example.var().item()
        count = len(copies)
        of_weights = copies.var().item() * (1 + 1 / count) if count > 1 else 0.0
        total = of_examples + of_weights
        freedom = (count - 1) * (total / of_weights) ** 2 if of_weights else inf
        return float(t.ppf(0.975, freedom)) * sqrt(total)


class _Influences:
    """Adds the influences of the examples on all matches to the sides."""

    def __init__(self, sides: Sequence[_Side], passes: int) -> None:
        self._sides = [side for side in sides if side.exists]
        self._passes = passes
        self._trained: dict[int, Tensor] = {}

    def add(self, number: int, grams: Tensor, examples: Examples) -> None:
        """Add one model on one minibatch."""
        if number in (0, 1):
            self._trained[number] = grams
        for side in self._sides:
            if number == 1:
                self._add(side, side.trained, 1, [self._trained[one] for one in side.trained.pair], examples)
            for match in side.untrained:
                if match.pair[1] == number:
                    grams_of_pair = [self._trained[match.pair[0]], grams]
                    self._add(side, match, -1 / len(side.untrained), grams_of_pair, examples)

    def _add(self, side: _Side, match: Match, factor: float, grams: Sequence[Tensor], examples: Examples) -> None:
        if examples.indices is not None:
            side.add(examples.indices.cpu(), factor * match.influences(*grams))
        elif not examples.number:
            # Without indices, examples cannot be found again in later passes, so the first pass stands for all.
            n = grams[0].shape[-1]
            indices = torch.arange(examples.first, examples.first + n, device="cpu")
            side.add(indices, factor * self._passes * match.influences(*grams))


def _go_through(sweep: Sweep, plan: Plan, minibatches: int, use: Use) -> None:
    """Run all models on the minibatches of a pass with the same plan.

    Args:
        sweep: models and minibatches.
        plan: options of the pass.
        minibatches: number of minibatches of at least 4 examples to use.
        use: called with every model on every minibatch of at least 4 examples.
    """
    used = 0
    with running(sweep.models, plan.layers, plan.dtype) as runs:
        for number in range(plan.passes):
            first = 0
            for inputs, _, indices in map(checked_batch, sweep.batches):
                if not len(inputs):
                    continue
                is_long = len(inputs) >= MIN_EXAMPLES
                if is_long and used == minibatches:
                    return
                for model, grams in _grams_of_all(runs, inputs, plan):
                    if is_long:
                        use(model, grams, Examples(indices, first, number))
                used += is_long
                first += len(inputs)


def _grams_of_all(runs: Sequence[Run], inputs: Tensor, plan: Plan) -> Iterator[tuple[int, Tensor]]:
    """Number and Gram matrices of each model. A model that occurs several times runs once."""
    grams: dict[Run, Tensor] = {}
    for number, run in enumerate(runs):
        if run not in grams:
            grams[run] = _grams(run, inputs, plan)
        yield number, grams[run]
        if run not in runs[number + 1 :]:
            del grams[run]


def _grams(run: Run, inputs: Tensor, plan: Plan) -> Tensor:
    """U-centred Gram matrices of one model, shape (L, n, n); shape (L, 0, 0) if there are too few examples."""
    if not run.names:
        run.find(inputs)
    n = len(inputs) if len(inputs) >= MIN_EXAMPLES else 0
    dtype, device = torch.promote_types(plan.dtype, torch.float32), run.device or inputs.device
    grams = torch.empty(len(run.names), n, n, dtype=dtype, device=device)
    run.run(inputs, grams if n else None)
    # Apple GPUs have no double precision.
    grams = grams.cpu() if grams.device.type == "mps" else grams
    return u_centre_(grams) if n else grams


def _notes(side: _Side, name: str, other: str) -> list[str]:
    """Notes about the best matches of one model in the other."""
    if not side.untrained:
        return []
    if not side.exists:
        return [f"{name}: no layer can be compared with an untrained copy of {other}; its baseline is null."]
    if side.examples < FEWEST_EXAMPLES:
        return [
            f"{name}: the difference from an untrained copy of {other} has no interval; it needs at least "
            f"{FEWEST_EXAMPLES} examples, got {side.examples}."
        ]
    return []
