"""Record several models at once, each in a process of its own."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cli.jobs.engine import Engine
from cli.jobs.processes import Task
from cli.jobs.traces import Traces, logs
from cli.terminal.output import Level, detail, say
from zoo.base.files import writing
from zoo.errors import ZooError


def traced(traces: Traces, layers: str | None, engine: Engine, max_examples: int | None) -> Traces:
    """The traces of a comparison, with those that lack made at once, each in a process of its own.

    Args:
        traces: of its models.
        layers: to look at; None for predictions alone.
        engine: where; if nothing was asked for, nothing is done, since they are made while the models are compared.
        max_examples: as in commands.

    Raises:
        ZooError: a model failed; what the others gave is kept.
    """
    if engine.asked is None:
        return traces
    tasks = list(_tasks(traces, layers, max_examples))
    if traces.fresh:
        for task in tasks:
            with writing(task.result, "another folder with ZOO_CACHE"):
                task.result.unlink(missing_ok=True)
    _run([task for task in tasks if not task.result.exists()], engine, traces.prepared.device)
    return replace(traces, fresh=False)


def _tasks(traces: Traces, layers: str | None, max_examples: int | None) -> Iterator[Task]:
    """One for each model that is different."""
    prepared = traces.prepared
    given = {
        **{"--dataset": prepared.dataset, "--split": prepared.data.split, "--max-examples": max_examples},
        **{"--batch-size": prepared.batch_size, "--seed": prepared.seed, "--device": prepared.device},
        **{"--layers": layers, "--passes": traces.passes, "--precision": traces.precision},
    }
    shared = [f"{option}={value}" for option, value in given.items() if value is not None]
    paths = {traces.path(number, layers).absolute(): model.ref for number, model in enumerate(prepared.found)}
    for path, ref in paths.items():
        yield Task(ref, ("record", *shared, "--", ref, str(path)), path, logs() / f"{path.stem}.log", Path.cwd())


def _run(tasks: list[Task], engine: Engine, device: str) -> None:
    """Do what is left, and tell what failed."""
    from cli.terminal.progress import progress_bar

    named, failed = {task.name: task for task in tasks}, 0
    with progress_bar() as progress, closing(engine.run(tasks, device)) as outcomes:
        bar = progress.add_task("trace", total=len(tasks), facts="")
        for outcome in outcomes:
            progress.advance(bar)
            error = outcome.error or _lack(named[outcome.name])
            if error is None:
                detail(f"{outcome.name} is recorded.")
            else:
                failed += 1
                say(f"{outcome.name} failed: {error} (log: {named[outcome.name].log})", Level.quiet)
    if failed:
        raise ZooError(
            f"{failed} of {len(tasks)} models could not be run, as listed; what the others gave is kept, and the same "
            "command goes on with the rest."
        )


def _lack(task: Task) -> str | None:
    """What is done must be seen here."""
    if task.result.exists():
        return None
    return f"it ended well, but there is no {task.result} here; all machines must share the cache folder, $ZOO_CACHE"
