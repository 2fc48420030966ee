"""Compare two models with untrained copies of each other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cli.jobs.traces import Traces
from cli.terminal.output import phase
from zoo.errors import ZooError

if TYPE_CHECKING:
    from rich.progress import Progress

    from compare.engine.baseline import Sweep
    from compare.engine.plan import Plan
    from compare.result.comparison import Comparison


def with_baseline(result: "Comparison", traces: Traces, plan: "Plan", seeds: Sequence[int]) -> "Comparison":
    """Add the similarity with untrained copies to a comparison.

    The models are replayed from their traces. The copies run once, and their traces are cached too.

    Args:
        result: the comparison.
        traces: the two models, which have just been compared.
        plan: options of the comparison.
        seeds: seeds of the untrained copies of each model.
    """
    from cli.terminal.progress import progress_bar
    from compare.engine.baseline import find_baseline

    with phase("comparing with untrained copies"), progress_bar() as progress:
        copies, copies_of_a, notes = _copies(traces, plan.layers, seeds)
        if not copies.prepared.models:
            return replace(result, notes=(*result.notes, *notes))
        fresh = [traces.fresh, False]

        @contextmanager
        def open_sweep() -> Iterator["Sweep"]:
            with _opened(traces, replace(copies, fresh=fresh.pop(0)), copies_of_a, plan, progress) as sweep:
                yield sweep

        minibatches = int(result.settings["minibatches"] or 0)
        baseline, missing = find_baseline(open_sweep, plan, minibatches, seeds)
    return replace(result, baseline=baseline, notes=(*result.notes, *notes, *missing))


@contextmanager
def _opened(traces: Traces, copies: Traces, copies_of_a: int, plan: "Plan", progress: "Progress") -> Iterator["Sweep"]:
    """Both models, from their traces if possible, and their copies."""
    from compare.engine.baseline import Sweep

    trained = replace(traces, fresh=False)
    # Traces that could not be written a moment ago cannot be written now.
    use_traces = plan.tolerance is None and all(trained.has(number, plan.layers) for number in (0, 1))
    with (
        trained.open(plan.layers, use_traces) as (a, b),
        copies.open(plan.layers, use_traces) as untrained,
    ):
        batches = traces.prepared.batches(progress, plan.passes, "comparing with untrained copies")
        yield Sweep(a, b, untrained[:copies_of_a], untrained[copies_of_a:], batches)


def _copies(traces: Traces, layers: str, seeds: Sequence[int]) -> tuple[Traces, int, list[str]]:
    """Untrained copies of both models that can be built.

    Returns:
        The copies of a, then those of b; the number of copies of a; and notes about models without copies.
    """
    from zoo.train.untrained import untrained_copy

    prepared = traces.prepared
    models = [
        untrained_copy(model, seed, prepared.data, prepared.batch_size) for model in prepared.models for seed in seeds
    ]
    copies = replace(traces, prepared=replace(prepared, models=tuple(models)))
    built: list[int] = []
    notes = []
    for side, name in enumerate("ab"):
        numbers = range(side * len(seeds), (side + 1) * len(seeds))
        try:
            for number in numbers:
                if not copies.has(number, layers):
                    copies.prepared.module(number)
            built.extend(numbers)
        except ZooError as error:
            notes.append(f"{name}: there is no untrained copy; {error}")
    if notes:
        copies = replace(copies, prepared=copies.prepared.only(*built))
    return copies, sum(number < len(seeds) for number in built), notes
