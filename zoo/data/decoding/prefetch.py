"""Compute results ahead of their use, in threads."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(work: Callable[[Item], Result], items: Iterable[Item], depth: int) -> Generator[Result]:
    """Map a function over items in threads, ahead of the consumer.

    Args:
        work: the function; several threads call it at once.
        items: its arguments.
        depth: largest number of results that are pending or waiting.

    Yields:
        The results, in the order of the items.
    """
    pool = ThreadPoolExecutor(threads())
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def threads() -> int:
    """Number of CPU cores of this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
