"""When a training has gone wrong beyond repair. Needs no torch."""

from collections.abc import Sequence
from math import log

from zoo.record import MOST, Epoch

# A mean loss so many times that of guessing is beyond what small batches and high rates do, and recover from.
SPIKE = 10


def divergence(history: Sequence[Epoch], classes: int) -> str | None:
    """Why training is to be stopped after its last epoch; None if it is not.

    The loss is no number or beyond all measure, or it has leapt to more than ten times the ln(classes) of a model that
    guesses, after an epoch that was better than guessing. Deep variants often begin above that, and find their way
    down.

    Args:
        history: one entry per epoch done.
        classes: number of classes.
    """
    if not history:
        return None
    loss, epoch, guessing = history[-1].loss, len(history), log(max(classes, 2))
    # No record holds a larger one.
    if not loss <= MOST:
        return f"the loss became {loss:.3g} in epoch {epoch}"
    learned = min((earlier.loss for earlier in history[:-1]), default=loss) < guessing
    if learned and loss > SPIKE * guessing:
        return f"the loss leapt to {loss:.3g}, where a model that guesses has {guessing:.3g}, in epoch {epoch}"
    return None
