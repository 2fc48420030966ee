"""Trace several models at once, each in its own process."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cli.jobs.engine import Engine
from cli.jobs.processes import Task
from cli.jobs.traces import Traces, logs
from cli.terminal.analysis_options import SimilarityOptions
from cli.terminal.command_options import arguments
from cli.terminal.options import ImageOptions
from cli.terminal.output import Level, detail, say
from zoo.base.files import writing
from zoo.errors import ZooError

CHOOSE_CACHE = "another folder with ZOO_CACHE"


def traced(traces: Traces, layers: str | None, engine: Engine) -> Traces:
    """Make the missing traces of a comparison, each in its own process.

    Args:
        traces: the traces of the models to compare.
        layers: layers to trace; None for predictions only.
        engine: where to run. Without --jobs and --ray nothing is done, since models are traced while they are compared.

    Returns:
        The traces, which are all complete if processes were used.

    Raises:
        ZooError: a model failed; the traces of the others are kept.
    """
    if engine.option is None:
        return traces
    tasks = list(_tasks(traces, layers))
    if traces.fresh:
        for task in tasks:
            with writing(task.result, CHOOSE_CACHE):
                task.result.unlink(missing_ok=True)
    _run([task for task in tasks if not task.result.exists()], engine, traces.prepared.device)
    return replace(traces, fresh=False)


def _tasks(traces: Traces, layers: str | None) -> Iterator[Task]:
    """A run of `zoo record` for each different model."""
    prepared = traces.prepared
    images = ImageOptions(
        split=prepared.data.split,
        max_examples=prepared.max_examples,
        batch_size=prepared.batch_size,
        seed=prepared.seed,
        device=prepared.device,
    )
    similarity = SimilarityOptions(layers, traces.passes, traces.precision, traces.pool)
    options = (f"--dataset={prepared.dataset}", *arguments(images), *arguments(similarity))
    refs = {traces.path(number, layers).absolute(): model.argument for number, model in enumerate(prepared.models)}
    for path, ref in refs.items():
        yield Task(
            ref,
            ("record", *options, "--", ref, str(path)),
            path,
            logs() / f"{path.stem}.log",
            Path.cwd(),
            CHOOSE_CACHE,
        )


def _run(tasks: list[Task], engine: Engine, device: str) -> None:
    """Run tasks and report failures."""
    from cli.terminal.progress import progress_bar

    tasks_by_name, failed = {task.name: task for task in tasks}, 0
    with progress_bar() as progress, closing(engine.run(tasks, device)) as outcomes:
        bar = progress.add_task("trace", total=len(tasks), facts="")
        for outcome in outcomes:
            progress.advance(bar)
            task = tasks_by_name[outcome.name]
            error = outcome.error or _missing_result(task)
            if error is None:
                detail(f"traced {outcome.name}.")
            else:
                failed += 1
                say(f"{outcome.name} failed: {error} (log: {task.log})", Level.quiet)
    if failed:
        raise ZooError(
            f"{failed} of {len(tasks)} models failed (see above); the traces of the others are kept, and the same "
            "command runs only the rest."
        )


def _missing_result(task: Task) -> str | None:
    """Why a task that succeeded elsewhere has no result on this machine; None if it has one."""
    if task.result.exists():
        return None
    return f"it succeeded, but {task.result} is missing; all machines must share the cache folder, $ZOO_CACHE"
