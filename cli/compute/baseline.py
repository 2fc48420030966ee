"""Compare models with untrained copies of each other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, TypeVar

from cli.jobs.traces import Traces
from cli.terminal.output import phase
from zoo.errors import ZooError

if TYPE_CHECKING:
    from rich.progress import Progress

    from compare.engine.baseline import Pair, Sweep
    from compare.engine.plan import Plan
    from compare.result.comparison import Baseline, Comparison
    from compare.result.matrix import ModelMatrix

Result = TypeVar("Result", bound="Comparison | ModelMatrix")


def untrained(traces: Traces, plan: "Plan", seeds: int) -> Traces:
    """Untrained copies of models: those of the first model, those of the second one, ...

    Args:
        traces: the models. If their cached traces are to be ignored, those of the copies are deleted.
        plan: options of the comparison.
        seeds: number of copies of each model.

    Returns:
        The copies, not built yet.
    """
    from zoo.train.untrained import untrained_copy

    prepared = traces.prepared
    models = [
        untrained_copy(model, seed, data, prepared.batch_size)
        for model, data in zip(prepared.models, prepared.seen, strict=True)
        for seed in range(seeds)
    ]
    seen = tuple(copy.data for copy in models)
    copies = replace(traces, prepared=replace(prepared, models=tuple(models), seen=seen))
    return copies if plan.tolerance is not None else copies.emptied(plan.layers)


def compare_beside_copies(
    traces: Traces, copies: Traces, plan: "Plan", names: Sequence[str], compare: "Callable[[], Result]"
) -> "tuple[Result, Mapping[Pair, Baseline | None], Sequence[str]]":
    """Compare models, and find the similarity of all pairs of them to untrained copies of each other.

    Each copy runs once, alone, and its trace is cached as those of the models are. Copies of small models run on half
    of the cores meanwhile.

    Args:
        traces: the models.
        copies: their untrained copies, as from `untrained`.
        plan: options of the comparison.
        names: names of the models in the notes.
        compare: compares the models.

    Returns:
        The result of `compare`; the baseline of each pair, as from `compare.engine.baseline.find_baselines`; and notes
        about what is missing.
    """
    with _sharing_cores(traces, plan) as shared, _traced_beside(traces, copies, plan) if shared else nullcontext():
        result = compare()
    return result, *_baselines(traces, copies, plan, int(result.settings["minibatches"] or 0), names)


@contextmanager
def _sharing_cores(traces: Traces, plan: "Plan") -> Iterator[bool]:
    """Use half of the cores in the block if `_traced_beside` may use the others, and yield whether it may.

    Rounding depends on the number of threads, so that does not depend on what the cache holds already.
    """
    from cli.jobs.beside import can_share, half_of_the_threads

    if plan.tolerance is None and traces.fit_in_the_cache and traces.prepared.gains_from_sharing and can_share():
        with half_of_the_threads():
            yield True
    else:
        yield False


@contextmanager
def _traced_beside(traces: Traces, copies: Traces, plan: "Plan") -> Iterator[None]:
    """Trace untrained copies in another process while the block compares the models."""
    from cli.jobs.beside import beside

    if copies.fresh or not copies.missing(plan.layers):
        yield
        return
    # A model is checked when it is loaded, and its copies are built afterwards.
    traces.load(plan.layers)
    with beside(partial(_trace, copies, plan.layers), copies.remove_incomplete) as wait:
        yield
        # The other process begins with the first copy, so this one begins with the last. `_buildable` tries again
        # what fails, and notes why.
        with suppress(ZooError):
            _trace(copies, plan.layers, last_first=True, leave=1)
        wait()


def _trace(copies: Traces, layers: str, last_first: bool = False, leave: int = 0) -> None:
    """Trace the copies that have no trace yet, until so many are left or one is too large for a trace."""
    count = len(copies.prepared.models)
    while len(missing := copies.missing(layers)) > leave:
        number = missing[-1 if last_first else 0]
        copies.cache(number, layers, f"untrained copy {count - len(missing) + 1} of {count}")
        if not copies.has(number, layers):
            return


def _baselines(
    traces: Traces, copies: Traces, plan: "Plan", minibatches: int, names: Sequence[str]
) -> "tuple[Mapping[Pair, Baseline | None], Sequence[str]]":
    """The baseline of each pair, and notes about what is missing. The models are replayed from their traces."""
    from cli.terminal.progress import progress_bar
    from compare.engine.baseline import find_baselines

    # Traces that could not be written a moment ago cannot be written now.
    trained = replace(traces, fresh=False)
    use_traces = plan.tolerance is None and all(trained.has(i, plan.layers) for i in range(len(names)))
    seeds = len(copies.prepared.models) // len(names)
    copies, counts, notes = _buildable(copies, plan.layers, use_traces, seeds, names)
    if not copies.prepared.models:
        return {}, notes

    with phase("comparing with untrained copies"), progress_bar() as progress:

        @contextmanager
        def open_sweep() -> Iterator["Sweep"]:
            with _opened(trained, copies, counts, plan, use_traces, progress) as sweep:
                yield sweep

        baselines, missing = find_baselines(open_sweep, plan, minibatches, range(seeds), names)
    return baselines, (*notes, *missing)


@contextmanager
def _opened(
    trained: Traces, copies: Traces, counts: Sequence[int], plan: "Plan", use_traces: bool, progress: "Progress"
) -> Iterator["Sweep"]:
    """The models and their copies, from traces if possible."""
    from compare.engine.baseline import Sweep

    with trained.open(plan.layers, use_traces) as models, copies.open(plan.layers, use_traces) as untrained:
        parts = pairwise(accumulate(counts, initial=0))
        batches = trained.prepared.batches(progress, plan.passes, "comparing with untrained copies")
        yield Sweep(models, [untrained[start:stop] for start, stop in parts], batches)


def _buildable(
    copies: Traces, layers: str, use_traces: bool, seeds: int, names: Sequence[str]
) -> tuple[Traces, list[int], list[str]]:
    """The untrained copies that can be built, traced if possible.

    Returns:
        The copies of the first model, those of the second one, ...; the number of copies of each model; and notes about
        models without copies.
    """
    built, counts, notes = list[int](), list[int](), list[str]()
    for model, name in enumerate(names):
        numbers = range(model * seeds, (model + 1) * seeds)
        try:
            for number in numbers:
                if not use_traces:
                    copies.prepared.module(number)
                elif not copies.has(number, layers):
                    copies.cache(number, layers, f"untrained copy {number + 1} of {seeds * len(names)}")
        except ZooError as error:
            notes.append(f"{name}: there is no untrained copy; {error}")
            numbers = range(0)
        built.extend(numbers)
        counts.append(len(numbers))
    # Models that are loaded already stay loaded.
    prepared = copies.prepared.only(*built) if notes else copies.prepared
    return replace(copies, prepared=prepared, fresh=False), counts, notes
