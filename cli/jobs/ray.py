"""The same runs on the machines of a Ray cluster, which share the folder that they write to."""

import logging
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import redirect_stdout
from types import ModuleType
from typing import Any

from cli.jobs.processes import Outcome, Task, run_here
from zoo.errors import ZooError, one_line

# How often a run begins anew after its worker or its machine was lost.
RETRIES = 3
# Bytes; Ray takes a third of the memory otherwise, and hardly anything is passed on here.
OBJECT_STORE = 100 * 2**20


def run_on_ray(tasks: Sequence[Task], address: str, device: str) -> Generator[Outcome]:
    """Run tasks on a cluster, each on one core and, where there are GPUs to use, one GPU.

    A run whose worker dies begins anew, up to 3 times; one that fails by itself does not.

    Args:
        tasks: in the order in which they are begun; their paths must mean the same on all machines.
        address: of the cluster; `local` for one on this machine that lives as long as this takes.
        device: as `zoo train` takes it.

    Yields:
        How each ended, as soon as it did. Whoever stops listening stops them all.

    Raises:
        ZooError: Ray is not installed, or the cluster does not answer.
    """
    # Ray tells on stdout of workers that die, where only results belong.
    with redirect_stdout(sys.stderr):
        ray = _connect(address)
        try:
            gpus = int(device.startswith("cuda") or (device == "auto" and "GPU" in ray.cluster_resources()))
            remote = ray.remote(max_retries=RETRIES, num_cpus=1, num_gpus=gpus)(_run_one)
            names = {remote.remote(task): task.name for task in tasks}
            while names:
                done = ray.wait(list(names))[0][0]
                yield _outcome(ray, done, names.pop(done))
        finally:
            ray.shutdown()


def _connect(address: str) -> ModuleType:
    # Nothing is to be told to others; Ray would ask, or report.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise ZooError("--ray needs Ray, which is not installed; install it: pip install 'resnet-zoo[ray]'.") from None
    here: dict[str, Any] = (
        {"include_dashboard": False, "object_store_memory": OBJECT_STORE} if address == "local" else {}
    )
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **here)
    except Exception as error:  # of many kinds, as the cluster and its network are
        raise ZooError(
            f"no Ray cluster answers at {address} ({one_line(error)}); start one with `ray start --head`, set "
            "RAY_AUTH_MODE=token if it wants a token, or take --ray local."
        ) from error
    finally:
        # Ray's own would end the program without a word.
        signal.signal(signal.SIGTERM, before)
    return ray


def _run_one(task: Task) -> Outcome:
    """What a worker does. Its process stands between, so that a run that dies is no lost worker."""
    try:
        return next(run_here([task], 1))
    except ZooError as error:
        return Outcome(task.name, str(error))


def _outcome(ray: Any, done: Any, name: str) -> Outcome:
    try:
        outcome: Outcome = ray.get(done)
    except ray.exceptions.RayError as error:
        return Outcome(name, f"Ray could not do it, after {RETRIES} more trials of what was lost ({one_line(error)})")
    return outcome
