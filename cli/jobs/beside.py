"""Share the cores between two parts of one command."""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.jobs.processes import GRACE, end_with_parent
from cli.terminal.output import listen

# Seconds that a copy may take longer than the block beside it has taken.
PATIENCE = 10.0


def can_share() -> bool:
    """Whether this process may use two cores, and can be copied."""
    import torch

    # The copy has one thread, so a lock that another one holds would stay locked for ever.
    return sys.platform == "linux" and torch.get_num_threads() > 1 and threading.active_count() == 1


@contextmanager
def half_of_the_threads() -> Iterator[None]:
    """Compute with half of the threads in this block."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(threads // 2)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def beside(work: Callable[[], None], clean: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Run work in a copy of this process, with as many threads, beside the block.

    The results of the work must be files. The copy prints nothing, ends with this process, and may fail. Call this only
    if `can_share()`.

    Args:
        work: called in the copy.
        clean: called in the copy at its end, to remove what is incomplete.

    Yields:
        A function that waits until the work is done, or has taken twice as long as the block so far. If the block ends
        before, the work is interrupted.
    """
    end, this_end = os.pipe()
    copy = multiprocessing.get_context("fork").Process(target=_run, args=(work, clean, end, this_end))
    copy.start()
    os.close(end)
    start = time.monotonic()
    try:
        yield lambda: copy.join(time.monotonic() - start + PATIENCE)
    finally:
        copy.terminate()
        copy.join(GRACE)
        copy.kill()
        copy.join()
        os.close(this_end)


def _run(work: Callable[[], None], clean: Callable[[], None], end: int, parents_end: int) -> None:
    """Run work in the copy, which ends when the parent does."""
    os.close(parents_end)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(silence, stream)
    listen(None)
    end_with_parent(GRACE, end)
    # OpenMP waits for threads that were not copied, but each thread that computes has others of its own.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        thread.join()
    finally:
        clean()
