"""`zoo train --track`: log every epoch with TensorBoard, Trackio, or Weights & Biases."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from cli.terminal.output import say, warnings_in_one_line
from zoo.base.files import writing
from zoo.base.foreign import foreign_code, is_foreign
from zoo.errors import UsageError, ZooError, did_you_mean, one_line
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe

TENSORBOARD, TRACKIO, WANDB = "tensorboard", "trackio", "wandb"
TRACKERS = (TENSORBOARD, TRACKIO, WANDB)
# Where TensorBoard looks for logs by convention.
RUNS = Path("runs")
# Project of Trackio and of Weights & Biases, unless another one is named.
PROJECT = "resnet-zoo"


@dataclass(frozen=True)
class Tracking:
    """Where to log a training.

    Args:
        tracker: a name in `TRACKERS`, which is also that of a Python package.
        place: a folder for TensorBoard, otherwise a project; None for the default.
    """

    tracker: str
    place: str | None = None


def parse_tracking(text: str) -> Tracking:
    """Parse `TRACKER` or `TRACKER:PLACE`.

    Raises:
        ZooError: there is no such tracker, or it is not installed.
    """
    tracker, colon, place = text.partition(":")
    if tracker not in TRACKERS or (colon and not place):
        raise UsageError(
            f"--track takes {', '.join(TRACKERS[:-1])}, or {TRACKERS[-1]}, with :DIR or :PROJECT if needed, got "
            f"{text!r}{did_you_mean(tracker, TRACKERS) or '.'}"
        )
    if find_spec(tracker) is None:
        raise ZooError(
            f"--track {tracker} needs {tracker}, which is not installed; install it: pip install "
            f"'resnet-zoo[{tracker}]'."
        )
    return Tracking(tracker, place or None)


def tensorboard_in(folder: str) -> Tracking:
    """Parse the value of `--tensorboard`, the former name of `--track tensorboard:DIR`."""
    return parse_tracking(f"{TENSORBOARD}:{folder}")


class _Run(NamedTuple):
    """A run of a tracker.

    Args:
        log: called with the number of an epoch and its values by name.
        close: called at the end.
        where: how to watch the run, in a sentence.
    """

    log: Callable[[int, dict[str, float]], None]
    close: Callable[[], None]
    where: str


@contextmanager
def tracked(tracking: Tracking | None, name: str, recipe: Recipe) -> Iterator[Callable[[Epoch], None]]:
    """Log loss, accuracy, learning rate, and speed of every epoch.

    What a tracker prints on stdout is dropped. If it fails during training, training continues without it.

    Args:
        tracking: where to log; None for nowhere.
        name: name of the run.
        recipe: training hyperparameters.

    Yields:
        A function to call after each epoch, including epochs before an interruption.

    Raises:
        ZooError: the tracker does not start.
    """
    if tracking is None:
        yield lambda epoch: None
        return
    epochs, failed = 0, False

    def attempt(action: Callable[..., None], *values: Any) -> None:
        nonlocal failed
        try:
            if not failed:
                action(*values)
        except Exception as error:
            if not is_foreign(error):
                raise
            failed = True
            say(f"--track {tracking.tracker} failed: {one_line(error)}; its log is incomplete.")

    def write(epoch: Epoch) -> None:
        nonlocal epochs
        epochs += 1
        values = {
            "loss": epoch.loss,
            "accuracy": epoch.accuracy,
            "images per second": epoch.images_per_second,
            "learning rate": recipe.lr_at(epochs - 1),
        }
        attempt(run.log, epochs, values)

    with redirect_stdout(StringIO()), warnings_in_one_line():
        run = _start(tracking, name, recipe)
        say(run.where)
        try:
            yield write
        finally:
            attempt(run.close)


def _start(tracking: Tracking, name: str, recipe: Recipe) -> _Run:
    """Start a run of a tracker.

    Raises:
        ZooError: the tracker does not start.
    """
    with foreign_code(f"--track {tracking.tracker} failed", "train without it"):
        if tracking.tracker == TENSORBOARD:
            return _start_tensorboard(Path(tracking.place) if tracking.place else RUNS / name)
        return _start_project(tracking.tracker, tracking.place or PROJECT, name, recipe)


def _start_tensorboard(folder: Path) -> _Run:
    """Write logs for TensorBoard. An earlier log of the same training is replaced from the first epoch on."""
    from torch.utils.tensorboard import SummaryWriter

    with writing(folder, "another folder"):
        writer = SummaryWriter(str(folder), purge_step=1)

    def log(epoch: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, epoch)
        writer.flush()

    return _Run(log, writer.close, f"every epoch is logged in {folder}; watch it: tensorboard --logdir {folder}")


def _start_project(tracker: str, project: str, name: str, recipe: Recipe) -> _Run:
    """Start a run of Trackio or of Weights & Biases, whose functions have the same names and arguments."""
    # Early versions of Trackio import Gradio, which reports its usage.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    package = import_module(tracker)
    where = f"every epoch is logged in the project {project} of {tracker}"
    if tracker == TRACKIO:
        # Trackio itself notices only after the first epoch that it cannot write there.
        folder = Path(import_module("trackio.utils").TRACKIO_DIR)
        with writing(folder, "another TRACKIO_DIR"):
            folder.mkdir(parents=True, exist_ok=True)
        where += f"; watch it: trackio show --project {project}"
    run = package.init(project=project, name=name, config=asdict(recipe))
    return _Run(lambda epoch, values: run.log(values, step=epoch), package.finish, where)
