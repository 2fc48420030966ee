"""Doing what is left of a sweep, with a table of how far it is."""

from contextlib import closing

from cli.engine import Engine
from cli.sweep_state import State


def finish(state: State, device: str, engine: Engine) -> None:
    """Do what is left.

    Args:
        state: of the sweep; holds what came of it afterwards.
        device: as `zoo train` takes it.
        engine: where.

    Raises:
        ZooError: as of `Engine.run`.
    """
    from cli.sweep_report import live

    tasks = list(state.tasks(device))
    if not tasks:
        return
    with live(state) as tell, closing(engine.run(tasks, device, state.begin)) as outcomes:
        for outcome in outcomes:
            tell(state.end(outcome))
