"""Share the minibatches of one comparison between several processes, as started by `torchrun`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch.distributed as dist

from compare.errors import CompareError

Share = TypeVar("Share")


def rank_and_count() -> tuple[int, int]:
    """Rank of this process and number of processes; 0 and 1 if `torch.distributed` is not initialised."""
    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    return dist.get_rank(), dist.get_world_size()


def gathered(share: Share) -> list[Share]:
    """Gather the results of all processes in every process.

    Args:
        share: result of this process, on the CPU. It is pickled, which is safe between processes of one program.

    Returns:
        Results of all processes, in the order of their ranks.
    """
    _, count = rank_and_count()
    shares: list[Share | None] = [None] * count
    dist.all_gather_object(shares, share)
    return [item for item in shares if item is not None]


@contextmanager
def sharing() -> Iterator[None]:
    """Context of work that all processes share. If one process fails, all others fail too instead of waiting for it.

    Raises:
        CompareError: another process failed.
    """
    _, count = rank_and_count()
    try:
        yield
    except Exception as error:
        if count > 1:
            gathered(f"{type(error).__name__}: {error}")
        raise
    for number, failure in enumerate(gathered("") if count > 1 else ()):
        if failure:
            raise CompareError(
                f"expected a result from each of {count} processes, but rank {number} failed "
                f"({failure.splitlines()[0]}); fix the error and run all processes again."
            )
