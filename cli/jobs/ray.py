"""Run tasks on a Ray cluster whose machines share a file system."""

import logging
import os
import secrets
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import redirect_stdout
from types import ModuleType
from typing import Any

from cli.jobs.processes import Outcome, Task, run_here
from zoo.base.foreign import foreign_code
from zoo.errors import ZooError, one_line

# How often a run is retried after its worker or machine was lost.
RETRIES = 3
# Bytes. Ray reserves a third of the memory by default, but little is transferred here.
OBJECT_STORE = 100 * 2**20


def run_on_ray(tasks: Sequence[Task], address: str, device: str) -> Generator[Outcome]:
    """Run tasks on a Ray cluster, each on one CPU core and, if the device is a GPU, one GPU.

    A run whose worker dies is retried up to 3 times. A run that fails is not.

    Args:
        tasks: the tasks, in the order in which they are started. Their paths must be valid on all machines.
        address: address of the cluster; `local` starts a temporary one on this machine.
        device: device that each task uses, as in `zoo train --device`.

    Yields:
        The outcome of each task when it ends. Closing the generator stops all tasks.

    Raises:
        ZooError: Ray is not installed, or the cluster does not answer.
    """
    # Ray prints messages about dead workers on stdout, which is for results.
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
    # Disable usage reports.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address == "local":
        _keep_to_this_machine()
    else:
        # Ray tries 20 times for 40 s by default, even if nothing listens at the address.
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")
        os.environ.setdefault("RAY_py_gcs_connect_timeout_s", "10")
    try:
        import ray
    except ImportError:
        raise ZooError("--ray needs Ray, which is not installed; install it: pip install 'resnet-zoo[ray]'.") from None
    local_options: dict[str, Any] = (
        {"include_dashboard": False, "object_store_memory": OBJECT_STORE} if address == "local" else {}
    )
    before = signal.getsignal(signal.SIGTERM)
    try:
        with foreign_code(
            f"no Ray cluster answers at {address}",
            "start one with `ray start --head`, set RAY_AUTH_MODE=token if it requires a token, or use --ray local",
        ):
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local_options)
    finally:
        # The handler that Ray installs exits without a message.
        signal.signal(signal.SIGTERM, before)
    return ray


def _keep_to_this_machine() -> None:
    """Let the cluster that Ray starts next listen on this machine only, and require a token.

    Who can connect to a cluster can run any code on it. Ray reads these variables when it is imported.
    """
    # Without clusters of several machines, as by default on Windows and macOS, Ray uses 127.0.0.1 on Linux too.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    # Otherwise, Ray would write a permanent one to the home folder.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _run_one(task: Task) -> Outcome:
    """Run a task in a child of the worker, so that a crash does not kill the worker."""
    try:
        return next(run_here([task], 1))
    except ZooError as error:
        return Outcome(task.name, str(error))


def _outcome(ray: Any, done: Any, name: str) -> Outcome:
    try:
        outcome: Outcome = ray.get(done)
    except ray.exceptions.RayError as error:
        return Outcome(name, f"Ray failed after up to {RETRIES} retries ({one_line(error)})")
    return outcome
