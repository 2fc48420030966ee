"""How much memory is free, and whether an error means that it ran out. Needs no torch."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from zoo.errors import ZooError

# Parts of messages of torch, whose error for the memory of a CPU has no class of its own.
_MESSAGES = ("can't allocate memory", "not enough memory", "out of memory")
# Folder of all cgroups, and the names of limit and use, by version of the kernel's interface.
_CGROUPS = {
    1: (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
    2: (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
}
# Set for each of several processes that run at once: the bytes that it may use.
SHARE = "ZOO_MEMORY_SHARE"
# Part of the free memory that a run may plan with; Python and the libraries need the rest.
USABLE = 0.8


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that there is not enough memory, on the CPU or on an accelerator."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    in_message = any(part in str(error).lower() for part in _MESSAGES)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and in_message)


def free_memory() -> int | None:
    """Bytes that this process can still use; None if the system does not say.

    That is the free memory of the machine, or less: what remains below the limits of the process's cgroups (as in
    containers), below its own limit (`ulimit -v`), and of its share if several processes run at once.

    Source:
        Linux: proc(5) on meminfo and statm; Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
    """
    return min((*_of_machine(), *_of_cgroups(), *_of_process()), default=None)


def _of_machine() -> Iterator[int]:
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024
                return
    # Systems without /proc only say how much there is in all.
    with suppress(ValueError, OSError):
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _of_cgroups() -> Iterator[int]:
    try:
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return
    for _, controllers, path in groups:
        if controllers and "memory" not in controllers.split(","):
            continue
        root, limit, use = _CGROUPS[1 if controllers else 2]
        folder = root / path.lstrip("/")
        for place in (folder, *(parent for parent in folder.parents if parent.is_relative_to(root))):
            # Files are missing outside of the container, and limits may be `max`.
            with suppress(OSError, ValueError):
                yield int((place / limit).read_text()) - int((place / use).read_text()) + _page_cache(place)


def _page_cache(cgroup: Path) -> int:
    """Bytes of cached files, which the kernel frees when memory is needed."""
    values = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    return int(values.get("total_inactive_file", values.get("inactive_file", 0)))


def _of_process() -> Iterator[int]:
    with suppress(ImportError, OSError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            yield limit - _pages("virtual") * resource.getpagesize()
    with suppress(ImportError, OSError, KeyError, ValueError):
        import resource

        yield int(os.environ[SHARE]) - _pages("resident") * resource.getpagesize()


def _pages(kind: Literal["virtual", "resident"]) -> int:
    """Number of pages of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0 if kind == "virtual" else 1])


def check_memory(need: float, free: int | None, what: str, advice: str) -> None:
    """Check that something fits into the free memory.

    Args:
        need: bytes that it takes.
        free: free bytes; None if the system does not say, and everything passes.
        what: what it is, such as `minibatches of 32 images`.
        advice: what the user can do.

    Raises:
        ZooError: it takes more than `USABLE` of the free memory.
    """
    if free is not None and need > USABLE * free:
        raise ZooError(
            f"expected {_gigabytes(need)} of free memory for {what}, got {_gigabytes(max(free, 0))}; {advice}."
        )


def _gigabytes(number: float) -> str:
    return f"{number / 1e9:,.1f} GB"
