"""Look at something again and again beside other work."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(look: Callable[[], bool], seconds: float) -> Iterator[None]:
    """Call a function in a thread until the block ends.

    Args:
        look: returns whether to call it again.
        seconds: pause before each call.
    """
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(seconds) and look():
            pass

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
