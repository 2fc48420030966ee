"""Run any number of models on the same minibatches, and accumulate similarities and predictions."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import inf
from typing import Any

import torch
from torch import Tensor

from compare.answers.answers import Answers
from compare.engine.plan import Plan
from compare.engine.processes import gathered, rank_and_count, sharing
from compare.errors import CompareError
from compare.model.batch import checked_batch, device_of, examples_in
from compare.model.trace import Model, Run, running
from compare.similarity.example_scores import ExampleScores
from compare.similarity.gram import MIN_EXAMPLES, exact_products, variances
from compare.similarity.halves import HalfSamples
from compare.similarity.measures import KERNELS, VECTORS
from compare.similarity.null import PermutationNull
from compare.similarity.pair_sums import MOST_SHARES, PairSums
from compare.similarity.principal import (
    Components,
    FirstComponents,
    MinibatchPrincipal,
    components,
    remove_components_,
)
from compare.similarity.procrustes import procrustes
from compare.similarity.without_dominant import SumsWithoutDominant


class Interior:
    """Statistics of one model for the analysis of block structure, from the first pass.

    Args:
        seed: random seed of the half samples; None for scores alone.
    """

    def __init__(self, seed: int | None) -> None:
        self.scores = ExampleScores()
        self.halves = None if seed is None else HalfSamples(seed)

    def add(self, grams: Tensor, parts: Components, first: int) -> None:
        """Add one minibatch.

        Args:
            grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n).
            parts: principal components of these Gram matrices.
            first: number of examples in earlier minibatches.
        """
        self.scores.add(grams, parts, first)
        if self.halves is not None:
            self.halves.add(grams)


# Fewest examples before a tolerance may stop CKA: the smallest sample in `tests/benchmarks/standard_errors.py`.
FEWEST_TO_STOP = 128


def run_stream(
    models: Sequence[Model],
    batches: Iterable[Any],
    plan: Plan,
    answers: Answers,
    leave_out_dominant: bool = False,
    scores_only: bool = False,
) -> "Stream":
    """Run every model on every minibatch, once per pass.

    If `torch.distributed` is initialised, all processes read the same minibatches, and each runs the models on its
    share. At the end, all processes have the complete result, as if one process had run everything.

    Args:
        models: modules, or tracers or replays of them.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
        plan: options of the pass.
        answers: collects the models' predictions.
        leave_out_dominant: whether to also compute CKA without the examples that dominate it.
        scores_only: whether the analysis of block structure is known, so that it needs scores of the examples alone.

    Returns:
        The finished stream.

    Raises:
        CompareError: every minibatch has fewer than 4 examples, models or batches are invalid, no module matches the
            selection of layers, or another process failed.
    """
    if plan.passes > 1 and isinstance(batches, Iterator):
        raise CompareError("several passes need batches that can be iterated again, such as a list, got an iterator.")
    with sharing(), running(models, plan.layers, plan.dtype, plan.pool, plan.forward) as runs:
        stream = Stream(runs, plan, answers, leave_out_dominant, scores_only, *rank_and_count())
        for _ in range(plan.passes):
            stream.go_through(batches)
            if stream.precise_enough:
                break
    stream.merge_ranks()
    if not stream.cka.batches:
        raise CompareError(
            f"expected a minibatch of at least {MIN_EXAMPLES} examples, got {stream.examples} examples in total; "
            "use more examples or larger batches."
        )
    return stream


class Stream:
    """Similarities of all layers of all models, and the models' predictions; see `run_stream`.

    Args:
        runs: one run per model; a model that occurs several times has the same run.
        plan: options of the pass.
        answers: collects the models' predictions.
        leave_out_dominant: whether to also compute CKA without the examples that dominate it.
        scores_only: whether the analysis of block structure needs scores of the examples alone.
        rank: rank of this process, which runs every `ranks`-th minibatch.
        ranks: number of processes.

    Raises:
        CompareError: there are several processes, and the plan has options that only work in one process.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        plan: Plan,
        answers: Answers,
        leave_out_dominant: bool = False,
        scores_only: bool = False,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if ranks > 1 and (plan.components or plan.permutations or plan.tolerance is not None):
            raise CompareError(
                f"components, permutations and a tolerance need a single process, got {ranks}; omit them, or run one."
            )
        self._rank, self._ranks = rank, ranks
        self.runs, self.plan = runs, plan
        self.passes = 0
        self.batch_size = 0
        self.too_short = 0
        self.examples = 0
        self.examples_in_cka = 0
        self.precise_enough = False
        self.finite = torch.tensor(True, device="cpu")
        self.principal = MinibatchPrincipal()
        self.interiors = {run: Interior(None if scores_only else plan.seed) for run in runs} if plan.components else {}
        self._scores_only = scores_only
        self.without = PairSums()
        self.first_components = FirstComponents()
        self.without_dominant = SumsWithoutDominant() if leave_out_dominant else None
        self.sums = {name: _sums(name) for name in (*plan.measures, "cka")}
        with_null = [name for name in self.sums if plan.permutations and name in VECTORS]
        self.nulls = {name: PermutationNull(plan.permutations, plan.seed) for name in with_null}
        self.answers = answers
        self._different = list(dict.fromkeys(runs))
        self._rows: dict[int, int] = {}
        self._space = torch.empty(0, device="cpu")

    @property
    def cka(self) -> PairSums:
        """Sums for CKA."""
        return self.sums["cka"]

    @property
    def parts(self) -> list[slice]:
        """Slice of each model's layers among the layers of all models."""
        return list(map(self._part_of.__getitem__, self.runs))

    @property
    def _part_of(self) -> dict[Run, slice]:
        """The slices of all different models, in order."""
        stops = accumulate(len(run.names) for run in self._different)
        return {run: slice(stop - len(run.names), stop) for run, stop in zip(self._different, stops, strict=True)}

    def go_through(self, batches: Iterable[Any]) -> None:
        """Make one pass over all minibatches."""
        self.passes += 1
        checked = map(checked_batch, batches)
        # Empty minibatches are not numbered, so that all processes agree on the numbers.
        for number, (inputs, labels, indices) in enumerate(batch for batch in checked if len(batch.labels)):
            if not self.runs[0].names:
                for run in self._different:
                    run.find(inputs)
                self.answers.begin([run.classes for run in self.runs])
            is_mine = number % self._ranks == self._rank
            rows = self._follow(indices)
            self.answers.add(self._run(inputs, rows) if is_mine else None, labels, indices)
            if self.passes == 1:
                self.examples += len(labels)
                self.too_short += len(labels) if len(labels) < MIN_EXAMPLES else 0
        if self.examples:
            self.answers.end_pass()

    def merge_ranks(self) -> None:
        """Merge the results of all processes."""
        if self._ranks == 1:
            return
        similarities = self.sums, self.principal, self.without_dominant
        state = *similarities, self.answers.share, self.finite, self.batch_size, self.examples_in_cka
        sums, principal, without_dominant, answers, finite, sizes, counts = zip(*gathered(state), strict=True)
        self.sums = {name: _sums(name) for name in self.sums}
        self.principal = MinibatchPrincipal()
        for share, components_of_share in zip(sums, principal, strict=True):
            self.principal.merge(components_of_share)
            for name, total in self.sums.items():
                total.merge(share[name])
        if self.without_dominant is not None:
            self.without_dominant = SumsWithoutDominant()
            for share in without_dominant:
                self.without_dominant.merge(share)
        self.answers.merge(answers)
        self.finite = torch.stack(torch.broadcast_tensors(*finite)).all(0)
        self.batch_size, self.examples_in_cka = max(sizes), sum(counts)

    def _follow(self, indices: Tensor | None) -> Tensor | None:
        """Rows of these examples among those that are followed over several passes; the first ones, as memory allows.

        Returns:
            Shape (n,), -1 for examples that are not followed; None with a single pass, or without indices.
        """
        if indices is None or self.plan.passes == 1:
            return None
        if self.passes == 1:
            most = MOST_SHARES // max(part.stop for part in self.parts) ** 2
            for index in indices.tolist()[: most - len(self._rows)]:
                self._rows.setdefault(index, len(self._rows))
        return torch.tensor([self._rows.get(index, -1) for index in indices.tolist()], device="cpu")

    def _run(self, inputs: Any, rows: Tensor | None) -> list[Tensor]:
        """Run all models on one minibatch, add up the similarities, and return the logits."""
        grams = self._grams(inputs)
        logits = {run: run.run(inputs, None if grams is None else grams[part]) for run, part in self._part_of.items()}
        if grams is not None:
            self._measure(grams, rows)
        return [logits[run] for run in self.runs]

    def _grams(self, inputs: Any) -> Tensor | None:
        """Buffer for the Gram matrices of one minibatch, reused for all; None if none are needed."""
        n, layers = examples_in(inputs), max(part.stop for part in self.parts)
        if n < MIN_EXAMPLES or self.precise_enough:
            return None
        if layers * n * n > len(self._space):
            dtype = torch.promote_types(self.plan.dtype, torch.float32)
            self._space = torch.empty(layers * n * n, dtype=dtype, device=self.runs[0].device or device_of(inputs))
        return self._space[: layers * n * n].view(layers, n, n)

    def _measure(self, grams: Tensor, rows: Tensor | None) -> None:
        # Some of the operations below are missing on Apple GPUs.
        grams = grams.cpu() if grams.device.type == "mps" else grams
        with exact_products(grams.device):
            self._sum_up(grams, rows)
        self.precise_enough = self.plan.tolerance is not None and self.largest_error() <= self.plan.tolerance

    def _sum_up(self, grams: Tensor, rows: Tensor | None) -> None:
        n = grams.shape[-1]
        self.batch_size = max(self.batch_size, n)
        self.finite = self.finite & variances(grams).isfinite().cpu()
        is_first = self.passes == 1
        parts = components(grams, max(1, self.plan.components)) if is_first or self.without_dominant else None
        if parts is not None and self.without_dominant is not None:
            self.without_dominant.add(grams, parts, self.examples if is_first else None)
        if parts is not None and is_first:
            self.examples_in_cka += n
            self.principal.update(grams, parts)
            self._look_inside(grams, parts)
        # CKA is last, because it U-centres the Gram matrices in place.
        for name, sums in self.sums.items():
            if name not in VECTORS:
                sums.add_products(n * procrustes(grams), is_first)
                continue
            vectors = sums.add(VECTORS[name](grams), is_first, rows, list(self._part_of.values()))
            # Only in the first pass: permutations of later passes would be independent although the passes are not.
            if name in self.nulls and is_first:
                self.nulls[name].add(vectors[self.parts[0]], vectors[self.parts[1]])
        if parts is not None and is_first and self.interiors and not self._scores_only:
            factors = self.cka.factors().to(grams.device)
            self.first_components.add(grams, parts, factors)
            remove_components_(grams, parts, factors)
            self.without.add(grams)

    def _look_inside(self, grams: Tensor, parts: Components) -> None:
        for run, part in self._part_of.items():
            if run in self.interiors:
                of_run = Components(parts.variance[part], parts.scores[part])
                self.interiors[run].add(grams[part], of_run, self.examples)

    @property
    def compared(self) -> Tensor:
        """Cells whose standard errors the result has: between models, or within a single one; shape (L, L), bool."""
        layers = max(part.stop for part in self.parts)
        cells = torch.ones(layers, layers, dtype=torch.bool, device="cpu")
        if len(self._different) > 1:
            for part in self.parts:
                cells[part, part] = False
        return cells

    def largest_error(self) -> float:
        """Largest standard error of CKA between two models.

        It is infinite with fewer than 128 examples, or if the standard error of a cell with a value is unknown.
        """
        if self.examples_in_cka < FEWEST_TO_STOP:
            return inf
        errors = torch.where(self.cka.ratio().isnan(), 0.0, self.cka.standard_error().nan_to_num(inf))
        return errors[self.compared].max().item()


def _sums(measure: str) -> PairSums:
    return PairSums(by_example=measure in KERNELS)
