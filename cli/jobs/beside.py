"""Use the other cores for work that is needed later."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.jobs.processes import GRACE, end_with_parent
from cli.terminal.output import listen


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Run work in a copy of this process, with one thread, while the block runs with the others.

    What the work leaves must be files: the copy ends with the block, finished or not, and prints nothing. Without a
    second thread, or where a process cannot be copied, this does nothing.

    Args:
        work: called in the copy. It is interrupted as by Ctrl-C when the block ends first.
    """
    import torch

    threads = torch.get_num_threads()
    # A copy has one thread, so a lock that another one holds would stay locked for ever.
    if sys.platform != "linux" or threads < 2 or threading.active_count() > 1:
        yield
        return
    torch.set_num_threads(threads - 1)
    end, this_end = os.pipe()
    copy = multiprocessing.get_context("fork").Process(target=_run, args=(work, end, this_end))
    copy.start()
    os.close(end)
    try:
        yield
    finally:
        copy.terminate()
        copy.join(GRACE)
        copy.kill()
        copy.join()
        os.close(this_end)
        torch.set_num_threads(threads)


def _run(work: Callable[[], None], end: int, parents_end: int) -> None:
    """Run work in the copy, which ends when the parent does."""
    import torch

    os.close(parents_end)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(silence, stream)
    listen(None)
    # The threads of the parent are not copied, and OpenMP would wait for them.
    torch.set_num_threads(1)
    end_with_parent(GRACE, end)
    work()
