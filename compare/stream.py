"""One stream of minibatches through any number of models, and all that is summed up while it passes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import inf, nan
from typing import Any

import torch
from torch import Tensor

from compare.answers import Answers, checked_batch
from compare.errors import CompareError
from compare.gram import MIN_EXAMPLES, exact_products, variances
from compare.interior import Interior
from compare.measures import VECTORS
from compare.null import PermutationNull
from compare.plan import Plan
from compare.principal import Components, MinibatchPrincipal, components, remove_components_
from compare.procrustes import procrustes
from compare.recording import Model, Run, running
from compare.similarity import PairSums

# How many minibatches a standard error should at least be taken over.
MIN_BATCHES = 6


def run_stream(models: Sequence[Model], batches: Iterable[Any], plan: Plan, answers: Answers) -> "Stream":
    """Run every model on every minibatch, once per pass.

    Args:
        models: any modules that take one tensor and return logits, shape (n, classes), or recorders or replays of some.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
        plan: what to look at.
        answers: where the models' predictions are collected.

    Raises:
        CompareError: fewer than 4 examples in every minibatch, models or examples that do not belong together, or a
            choice of layers that fits no module.
    """
    if plan.passes > 1 and isinstance(batches, Iterator):
        raise CompareError(
            "several passes need batches that can be gone through again, such as a list, got an iterator."
        )
    with running(models, plan.layers, plan.dtype) as runs:
        stream = Stream(runs, plan, answers)
        for _ in range(plan.passes):
            stream.go_through(batches)
            if stream.precise_enough:
                break
    if not stream.cka.batches:
        raise CompareError(
            f"expected a minibatch of at least {MIN_EXAMPLES} examples, got {stream.examples} examples in all; "
            "use more examples or larger batches."
        )
    return stream


class Stream:
    """Similarities of all layers of all models, and the models' answers; see `run_stream`.

    Args:
        runs: one per model; the same one again for the same model.
        plan: what to look at.
        answers: where the models' predictions are collected.
    """

    def __init__(self, runs: Sequence[Run], plan: Plan, answers: Answers) -> None:
        self.runs = runs
        self.plan = plan
        self.passes = 0
        self.batch_size = 0
        self.too_short = 0
        self.examples = 0
        self.examples_in_cka = 0
        self.precise_enough = False
        self.finite = torch.tensor(True, device="cpu")
        self.principal = MinibatchPrincipal()
        self.interiors = {run: Interior(plan.seed) for run in runs} if plan.components else {}
        self.without = PairSums()
        self.sums = {name: PairSums() for name in (*plan.measures, "cka")}
        asked = [name for name in self.sums if plan.permutations and name in VECTORS]
        self.nulls = {name: PermutationNull(plan.permutations, plan.seed) for name in asked}
        self.answers = answers
        self._different = list(dict.fromkeys(runs))
        self._space = torch.empty(0, device="cpu")

    @property
    def cka(self) -> PairSums:
        """The sums that CKA comes from."""
        return self.sums["cka"]

    @property
    def parts(self) -> list[slice]:
        """Where the layers of each model stand among those of all."""
        stops = accumulate(len(run.names) for run in self._different)
        part = {run: slice(stop - len(run.names), stop) for run, stop in zip(self._different, stops, strict=True)}
        return [part[run] for run in self.runs]

    def go_through(self, batches: Iterable[Any]) -> None:
        """One pass over all minibatches."""
        self.passes += 1
        for batch in batches:
            inputs, labels, indices = checked_batch(batch)
            if not len(inputs):
                continue
            if not self.runs[0].names:
                for run in self._different:
                    run.find(inputs)
                self.answers.begin([run.classes for run in self.runs])
            grams = self._grams(inputs)
            logits = {
                run: run.run(inputs, None if grams is None else grams[part])
                for run, part in dict(zip(self.runs, self.parts, strict=True)).items()
            }
            self.answers.add([logits[run] for run in self.runs], labels, indices)
            if grams is not None:
                self._measure(grams)
            self.examples += len(inputs) if self.passes == 1 else 0
        if self.examples:
            self.answers.end_pass()

    def _grams(self, inputs: Tensor) -> Tensor | None:
        """Room for the Gram matrices of one minibatch, the same for all; None if none are to be taken."""
        n, layers = len(inputs), max(part.stop for part in self.parts)
        if n < MIN_EXAMPLES:
            self.too_short += n if self.passes == 1 else 0
        if n < MIN_EXAMPLES or self.precise_enough:
            return None
        if layers * n * n > len(self._space):
            dtype = torch.promote_types(self.plan.dtype, torch.float32)
            self._space = torch.empty(layers * n * n, dtype=dtype, device=self.runs[0].device or inputs.device)
        return self._space[: layers * n * n].view(layers, n, n)

    def _measure(self, grams: Tensor) -> None:
        # Some of what follows is not there on Apple's GPUs.
        grams = grams.cpu() if grams.device.type == "mps" else grams
        with exact_products(grams.device):
            self._sum_up(grams)
        self.precise_enough = self.plan.tolerance is not None and self.largest_error() <= self.plan.tolerance

    def _sum_up(self, grams: Tensor) -> None:
        n = grams.shape[-1]
        self.batch_size = max(self.batch_size, n)
        self.finite = self.finite & variances(grams).isfinite().cpu()
        found = None
        if self.passes == 1:
            self.examples_in_cka += n
            found = components(grams, max(1, self.plan.components))
            self.principal.update(grams, found)
            self._look_inside(grams, found)
        # CKA comes last, because it U-centres the Gram matrices in place.
        for name, sums in self.sums.items():
            if name not in VECTORS:
                sums.add_products(n * procrustes(grams))
                continue
            vectors = sums.add(VECTORS[name](grams))
            # Permutations of several passes would be independent where the passes are not.
            if name in self.nulls and self.passes == 1:
                self.nulls[name].add(vectors[self.parts[0]], vectors[self.parts[1]])
        if found is not None and self.interiors:
            remove_components_(grams, found, self.cka.factors().to(grams.device))
            self.without.add(grams)

    def _look_inside(self, grams: Tensor, found: Components) -> None:
        for run, part in dict(zip(self.runs, self.parts, strict=True)).items():
            if run in self.interiors:
                own = Components(found.variance[part], found.scores[part])
                self.interiors[run].add(grams[part], own, self.examples)

    def largest_error(self) -> float:
        """Largest standard error of CKA between two models; infinite below `MIN_BATCHES` minibatches in a pass."""
        if self.cka.batches < MIN_BATCHES * self.passes:
            return inf
        errors = self.cka.standard_error(self.passes)
        if len(self._different) > 1:
            for part in self.parts:
                errors[part, part] = nan
        return errors.nan_to_num(0.0).max().item()
