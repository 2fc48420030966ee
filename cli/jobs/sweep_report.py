"""Show a sweep in the terminal and as JSON: a table of depth by width, during the sweep and afterwards."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from math import inf
from statistics import mean, stdev

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table

from cli.jobs.engine import Engine
from cli.jobs.sweep_state import State
from cli.terminal.output import is_quiet, plain, plain_table, say
from cli.terminal.progress import duration
from zoo.base.versions import versions
from zoo.grid.grid import Run

FORMAT_VERSION = 1
CAPTION = "mean accuracy in %, ± standard deviation over seeds; finished runs"
# Number of running runs below the live table; more would scroll.
MOST_RUNNING = 8


@contextmanager
def live(state: State) -> Iterator[Callable[[str], None]]:
    """Show a live table on a terminal.

    Yields:
        A function that prints a line above the table. Without a terminal, only these lines are printed.
    """
    console = Console(stderr=True)
    if not console.is_terminal or is_quiet():
        yield say
        return
    with Live(get_renderable=lambda: _progress(state), console=console, refresh_per_second=2, transient=True):
        yield lambda line: console.print(plain(line), soft_wrap=True, highlight=False)


def tables(state: State) -> Iterator[RenderableType]:
    """Mean accuracies by depth and width, a table for each subset."""
    for subset in dict.fromkeys(run.subset for run in state.runs):
        runs = [run for run in state.runs if run.subset == subset]
        part = "" if subset == 1 else f"{subset} of "
        title = plain(f"Accuracy, trained on {part}{runs[0].dataset}")
        title.stylize("bold")
        yield title
        yield _table(state, runs)
    yield CAPTION


def _table(state: State, runs: Sequence[Run]) -> Table:
    widths = list(dict.fromkeys(run.variant.width for run in runs))
    table = plain_table("", ("depth",), [f"width {width:g}" for width in widths])
    for depth in dict.fromkeys(run.variant.depth for run in runs):
        same = [run for run in runs if run.variant.depth == depth]
        cells = ([run for run in same if run.variant.width == width] for width in widths)
        table.add_row(str(depth), *(_cell(state, cell) for cell in cells))
    return table


def _cell(state: State, runs: Sequence[Run]) -> str:
    """The cell of one variant: all of its seeds."""
    values = [100 * state.finished[run].accuracy for run in runs if run in state.finished]
    spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    failed, running = (sum(run in group for run in runs) for group in (state.failed, state.running))
    others = f"{f', {failed} failed' if failed else ''}{f', {running} running' if running else ''}"
    return f"{f'{mean(values):.2f}' if values else '-'}{spread}\n{len(values)} of {len(runs)}{others}"


def _progress(state: State) -> RenderableType:
    now = time.monotonic()
    running = [f"{run.name} for {now - since:.0f} s" for run, since in list(state.running.items())]
    seconds = state.seconds_left()
    # A Ray cluster does not report which runs have started.
    rest = f"{len(running)} running, {len(state.left) - len(running)} waiting" if running else f"{len(state.left)} left"
    counts = f"{len(state.finished)} of {len(state.runs)} done, {len(state.failed)} failed, {rest}"
    estimate = "" if seconds is None else f"; about {duration(seconds)} left"
    return Group(*tables(state), *(plain(line) for line in running[:MOST_RUNNING]), plain(f"{counts}{estimate}"))


def failures(state: State) -> Iterator[str]:
    """A line for each failed run, with the error and the log."""
    return (f"{run.name} failed: {error} (log: {state.log(run)})" for run, error in state.failed.items())


def sweep_json(state: State) -> str:
    """The JSON of a sweep, with all runs in the order of the grid."""
    result = {"format_version": FORMAT_VERSION, "runs": [_entry(state, run) for run in state.runs]}
    return json.dumps(result | {"versions": versions()}, separators=(",", ":")) + "\n"


def _entry(state: State, run: Run) -> dict[str, object]:
    record, error = state.finished.get(run), state.failed.get(run)
    return {
        "name": run.name,
        "folder": str(state.folder(run)),
        "depth": run.variant.depth,
        "width": run.variant.width,
        "dataset": run.dataset,
        "subset": str(run.subset),
        "seed": run.seed,
        "status": "failed" if error else "finished",
        "accuracy": None if record is None else round(record.accuracy, 6),
        "seconds": None if record is None else round(record.seconds, 3),
        "error": error,
        "log": str(state.log(run)) if error else None,
        "commit": None if record is None else record.versions.get("commit"),
        "versions": None if record is None else record.versions,
    }


def finish(state: State, device: str, engine: Engine, seconds: float = inf, timeout: float | None = None) -> None:
    """Run the remaining runs of a sweep.

    Args:
        state: the state of the sweep, which is updated.
        device: a torch device, or `auto`.
        engine: where to run.
        seconds: stop when the first run ends after this time. Other runs in progress stop and can be resumed.
        timeout: seconds after which a single run is stopped and has failed; None for never.

    Raises:
        ZooError: the runs cannot be started. Failures of single runs are recorded in the state.
    """
    tasks = list(state.tasks(device, timeout))
    if not tasks:
        return
    end = time.monotonic() + seconds
    with live(state) as print_line, closing(engine.run(tasks, device, state.begin)) as outcomes:
        for outcome in outcomes:
            print_line(state.end(outcome))
            if time.monotonic() >= end:
                break
