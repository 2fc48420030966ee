"""What TensorBoard shows of a training, written while it goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe


@contextmanager
def event_log(folder: Path | None, recipe: Recipe) -> Iterator[Callable[[Epoch], None]]:
    """A log of loss, accuracy, learning rate and speed of every epoch.

    Args:
        folder: where the log goes; None for none. What an interrupted training logged there is taken over.
        recipe: how training goes.

    Yields:
        What to call after each epoch, from the first on.

    Raises:
        ZooError: TensorBoard is not installed, or the folder cannot be written.
    """
    if folder is None:
        yield lambda epoch: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ZooError(
            "--tensorboard needs TensorBoard, which is not installed; install it: pip install "
            "'resnet-zoo[tensorboard]'."
        ) from None
    with writing(folder, "another --tensorboard"):
        # Of an earlier log, everything from the first epoch on gives way to this one.
        log = SummaryWriter(str(folder), purge_step=1)
    done = 0

    def write(epoch: Epoch) -> None:
        nonlocal done
        done += 1
        values = {
            **{"loss": epoch.loss, "accuracy": epoch.accuracy, "images per second": epoch.images_per_second},
            "learning rate": recipe.lr_at(done - 1),
        }
        for name, value in values.items():
            log.add_scalar(name, value, done)

    with log:
        yield write
