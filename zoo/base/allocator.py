"""Spend less time on memory: reuse what is freed, and rarely look for unreachable objects."""

import atexit
import gc
import sys

# Options of mallopt.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
# No amount of free memory at the end of the heap is returned.
_NEVER = -1


def keep_freed_memory() -> None:
    """Let this process reuse freed memory, on Linux with glibc; elsewhere, this does nothing.

    glibc returns large blocks to the system when they are freed, and the system clears every page before it is used
    again. Forward passes of a ResNet-38 w4 and a ResNet-20 w4 took 8.1 s on two cores, and 5.0 s in reused memory.
    Commands call this once; a library must not, since it holds for the whole process. Peak memory grows by the gaps
    between blocks.

    Source:
        mallopt(3).
    """
    if sys.platform != "linux":
        return
    # Imported when called, because of its import time.
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # musl has none.
    if mallopt is not None:
        # Blocks that are mapped one by one would be returned when they are freed.
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _NEVER)


# New objects after which Python looks for unreachable ones, by age.
_COLLECT_AFTER = (50_000, 20, 50)


def collect_rarely() -> None:
    """Look for unreachable objects less often than Python does by default, which is after 700 new ones.

    The imports of a command make about a million objects, which all stay, and looking at them again and again took a
    tenth of the time of a comparison of two small models. Tensors are freed without this, by their reference counts.
    At its end, Python would look at all of them once more, for 0.4 s after an import of PyTorch.
    """
    gc.set_threshold(*_COLLECT_AFTER)
    atexit.register(gc.freeze)
