"""Train the networks of a reproduction study."""

from cli.inputs.images import load
from cli.jobs.engine import Engine
from cli.jobs.sweep_state import State
from cli.terminal.output import say
from zoo.errors import ZooError


def train_study(state: State, dataset: str, device: str, engine: Engine, seconds: float) -> None:
    """Train the networks that are not trained yet, after an estimate of the time it takes.

    Args:
        state: the training runs of the study.
        dataset: name of the dataset.
        device: a torch device, or `auto`.
        engine: where to train.
        seconds: time after which training stops; the networks that are finished by then remain.

    Raises:
        ZooError: some runs failed, or none is finished.
    """
    if state.left and seconds > 0:
        from cli.jobs.sweep_report import finish

        say(_estimate(state, dataset, device, engine))
        finish(state, device, engine, seconds)
    if state.failed:
        run, error = next(iter(state.failed.items()))
        raise ZooError(
            f"{len(state.failed)} of {len(state.runs)} runs failed, such as {run.name}: {error} (log: "
            f"{state.log(run)}); run the same command to retry them."
        )
    if not state.finished:
        raise ZooError("no network is trained yet; use a higher --time-limit.")


def _estimate(state: State, dataset: str, device: str, engine: Engine) -> str:
    """How long the remaining runs take, measured by a few training steps on this machine."""
    from cli.terminal.progress import duration
    from zoo.base.device import pick_device
    from zoo.grid.pace import measure_pace

    chosen = pick_device(device)
    pace = measure_pace(load(dataset, "train"), state.left[0].recipe, chosen)
    seconds = sum(map(pace.seconds, state.left))
    parallel = f"; --jobs {engine.jobs} divides it as far as cores allow" if engine.jobs and engine.jobs > 1 else ""
    return f"training takes about {duration(seconds)} on this machine's {chosen}, one run at a time{parallel}."
