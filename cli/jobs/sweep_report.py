"""A sweep in the terminal and as JSON: one table of depth by width, while it runs and at the end."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from statistics import mean, stdev

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.jobs.engine import Engine
from cli.jobs.sweep_state import State
from cli.terminal.output import is_quiet, plain, plain_table, say
from zoo.base.versions import versions
from zoo.grid.grid import Run

FORMAT_VERSION = 1
CAPTION = "mean in % right, ± standard deviation over seeds; runs that are done"
# Lines of the live table beside its rows; more of them would scroll.
MOST_RUNNING = 8


@contextmanager
def live(state: State) -> Iterator[Callable[[str], None]]:
    """The table, kept up to date on a terminal.

    Yields:
        What to call with a line to tell, which stays; a pipe gets only these.
    """
    console = Console(stderr=True)
    if not console.is_terminal or is_quiet():
        yield say
        return
    with Live(get_renderable=lambda: _progress(state), console=console, refresh_per_second=2, transient=True):
        yield lambda line: console.print(plain(line), soft_wrap=True, highlight=False)


def tables(state: State) -> Iterator[RenderableType]:
    """Mean accuracies of every part of the data, depth by width."""
    for subset in dict.fromkeys(run.subset for run in state.runs):
        runs = [run for run in state.runs if run.subset == subset]
        part = "" if subset == 1 else f"{subset} of "
        yield Text(f"Accuracy, trained on {part}{runs[0].dataset}", style="bold")
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
    """All seeds of one variant."""
    values = [100 * state.finished[run].accuracy for run in runs if run in state.finished]
    spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    failed, running = (sum(run in some for run in runs) for some in (state.failed, state.running))
    others = f"{f', {failed} failed' if failed else ''}{f', {running} running' if running else ''}"
    return f"{f'{mean(values):.2f}' if values else '-'}{spread}\n{len(values)} of {len(runs)}{others}"


def _progress(state: State) -> RenderableType:
    now = time.monotonic()
    running = [f"{run.name} for {now - since:.0f} s" for run, since in list(state.running.items())]
    left = state.seconds_left()
    # A cluster does not tell which of its runs are at work.
    rest = f"{len(running)} running, {len(state.left) - len(running)} waiting" if running else f"{len(state.left)} left"
    counts = f"{len(state.finished)} of {len(state.runs)} done, {len(state.failed)} failed, {rest}"
    ahead = "" if left is None else f"; about {duration(left)} left"
    return Group(*tables(state), *(plain(line) for line in running[:MOST_RUNNING]), plain(f"{counts}{ahead}"))


def duration(seconds: float) -> str:
    """A time in words, such as `12 min`."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def failures(state: State) -> Iterator[str]:
    """Every run that failed, why, and where to read more."""
    return (f"{run.name} failed: {error} (log: {state.log(run)})" for run, error in state.failed.items())


def sweep_json(state: State) -> str:
    """Every run, in the order of the grid."""
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


def finish(state: State, device: str, engine: Engine) -> None:
    """Do what is left.

    Args:
        state: of the sweep; holds what came of it afterwards.
        device: as `zoo train` takes it.
        engine: where.

    Raises:
        ZooError: as of `Engine.run`.
    """
    tasks = list(state.tasks(device))
    if not tasks:
        return
    with live(state) as tell, closing(engine.run(tasks, device, state.begin)) as outcomes:
        for outcome in outcomes:
            tell(state.end(outcome))
