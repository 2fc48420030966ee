"""Check the installation: versions, device, torchvision, Hub, cache, and disk."""

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cards.words.legible import counted
from zoo.base.foreign import describe, is_foreign
from zoo.errors import ZooError

PACKAGES = ("resnet-zoo", "torch", "torchvision", "timm", "huggingface-hub", "datasets", "safetensors", "numpy")
# Enough for a few large models.
MIN_FREE_BYTES = 5 * 2**30


class Finding(NamedTuple):
    """One line of the report.

    Args:
        subject: what was checked.
        state: its state.
        advice: how to fix a problem; empty if there is none.
    """

    subject: str
    state: str
    advice: str = ""


def check_installation() -> Iterator[Finding]:
    """Check everything, in the order of the report. A check that fails is reported too."""
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        yield _package(package)
    for subject, check in (("device", _device), ("torchvision", _torchvision), ("Hub", _hub), ("Hub cache", _cache)):
        try:
            yield from check()
        except Exception as error:
            if not is_foreign(error):
                raise
            yield Finding(subject, f"check failed ({describe(error)})", "fix the installation")


def _package(package: str) -> Finding:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Finding(package, version(package))
    except PackageNotFoundError:
        return Finding(package, "missing", f"install it: pip install {package}")


def _device() -> Iterator[Finding]:
    import torch

    from zoo.base.device import pick_device

    device = pick_device("auto")
    if device == "cpu":
        yield Finding("device", f"cpu, {counted(torch.get_num_threads(), 'thread')}")
    else:
        yield Finding("device", f"{device}, {torch.accelerator.device_count()} available")


def _torchvision() -> Iterator[Finding]:
    from zoo.family.import_hooks import torchvision_is_repaired

    if torchvision_is_repaired():
        yield Finding("torchvision", "built for CUDA, but torch is CPU-only; worked around when zoo is imported")
    else:
        yield Finding("torchvision", "ok")


def _hub() -> Iterator[Finding]:
    from huggingface_hub import constants, get_token

    yield Finding("Hub", constants.ENDPOINT)
    if constants.is_offline_mode():
        yield Finding("login", "unknown, HF_HUB_OFFLINE is set", "unset it to use the Hub")
    elif get_token() is None:
        yield Finding("login", "not logged in", "to publish, log in: hf auth login")
    else:
        yield _login()


def _login() -> Finding:
    from zoo.hub.client import account, hub_client

    try:
        user = account(hub_client(), "your token")
    except ZooError as error:
        return Finding("login", "the Hub does not confirm it", str(error))
    roles = {"read": "read-only", "write": "read and write", "fineGrained": "fine-grained"}
    role = roles.get(user.role or "")
    organizations = ", ".join(user.owners[1:])
    state = f"as {user.name}{f', in {organizations}' if organizations else ''}{f'; token: {role}' if role else ''}"
    advice = "to publish, log in with a write token: hf auth login" if user.role == "read" else ""
    return Finding("login", state, advice)


def _cache() -> Iterator[Finding]:
    from huggingface_hub import CacheNotFound, constants, scan_cache_dir

    folder = Path(constants.HF_HUB_CACHE)
    try:
        cache = scan_cache_dir()
        state = f"{cache.size_on_disk / 2**20:,.0f} MiB in {folder}, repositories: {len(cache.repos)}"
    except CacheNotFound:
        state = f"empty, in {folder}"
    yield Finding("Hub cache", state)
    existing = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    free = shutil.disk_usage(existing).free
    advice = "free some: hf cache prune, or set HF_HOME to another disk" if free < MIN_FREE_BYTES else ""
    yield Finding("disk", f"{free / 2**30:,.1f} GiB free", advice)
