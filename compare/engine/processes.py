"""Several processes that share the minibatches of one comparison, as `torchrun` starts them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch.distributed as dist

from compare.errors import CompareError

Share = TypeVar("Share")


def rank_and_count() -> tuple[int, int]:
    """Number of this process, from 0, and how many there are; 0 and 1 unless `torch.distributed` has been set up."""
    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    return dist.get_rank(), dist.get_world_size()


def gathered(own: Share) -> list[Share]:
    """What all processes found, in their order, in every one of them.

    Args:
        own: what this one found, on the CPU. It is pickled, which is safe between processes of one program.
    """
    _, count = rank_and_count()
    shares: list[Share | None] = [None] * count
    dist.all_gather_object(shares, own)
    return [share for share in shares if share is not None]


@contextmanager
def sharing() -> Iterator[None]:
    """Work of which each process does its share. If one fails, all do once they are done, and none waits for it.

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
    for number, told in enumerate(gathered("") if count > 1 else ()):
        if told:
            raise CompareError(
                f"expected a share of the result from each of {count} processes, but that of rank {number} failed "
                f"({told.splitlines()[0]}); mend that, and run all of them again."
            )
