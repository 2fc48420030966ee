"""Write TensorBoard logs during training."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe


@contextmanager
def event_log(folder: Path | None, recipe: Recipe) -> Iterator[Callable[[Epoch], None]]:
    """Log loss, accuracy, learning rate, and speed of every epoch.

    Args:
        folder: folder of the log; None for none. An earlier log of the same training is replaced.
        recipe: training hyperparameters.

    Yields:
        A function to call after each epoch, including epochs before an interruption.

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
        # Replaces an earlier log from the first epoch on.
        log = SummaryWriter(str(folder), purge_step=1)
    epochs = 0

    def write(epoch: Epoch) -> None:
        nonlocal epochs
        epochs += 1
        values = {
            "loss": epoch.loss,
            "accuracy": epoch.accuracy,
            "images per second": epoch.images_per_second,
            "learning rate": recipe.lr_at(epochs - 1),
        }
        for name, value in values.items():
            log.add_scalar(name, value, epochs)

    with log:
        yield write
