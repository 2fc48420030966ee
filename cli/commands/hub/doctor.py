"""`zoo doctor`: what this installation can do, and what to do about what it cannot."""

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cli.terminal.output import plain, plain_table, show, show_lines
from zoo.errors import ZooError, one_line

if TYPE_CHECKING:
    from rich.table import Table


PACKAGES = ("resnet-zoo", "torch", "torchvision", "timm", "huggingface-hub", "datasets", "safetensors", "numpy")
# Room for a few large models.
FEW_BYTES = 5 * 2**30


class Finding(NamedTuple):
    """One thing looked at, what was found, and what to do about it, if anything."""

    what: str
    found: str
    advice: str = ""


def doctor() -> None:
    """Look at versions, device, torchvision, the Hub, who is logged in and the cache, and say what to mend."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("looking around") if console.is_terminal else console:
        findings = list(examine())
    show_lines(_table(findings))
    problems = sum(bool(finding.advice) for finding in findings)
    show(f"\n{problems} to look at." if problems else "\nAll is well.")


def examine() -> Iterator[Finding]:
    """Everything worth a look, in the order in which it is shown; what fails itself is a finding."""
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        yield _installed(package)
    for what, look in (("device", _device), ("torchvision", _torchvision), ("Hub", _hub), ("cache", _cache)):
        try:
            yield from look()
        except Exception as error:  # an installation can be broken in any way, which is what is looked for
            said = one_line(error)
            yield Finding(what, f"cannot be looked at ({type(error).__name__}: {said})", "mend that")


def _installed(package: str) -> Finding:
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
        yield Finding("device", f"cpu, {torch.get_num_threads()} threads")
    else:
        yield Finding("device", f"{device}, {torch.accelerator.device_count()} of it")


def _torchvision() -> Iterator[Finding]:
    from zoo.family.timm_hook import torchvision_is_repaired

    if torchvision_is_repaired():
        yield Finding("torchvision", "linked against CUDA beside a CPU-only torch; mended whenever zoo is imported")
    else:
        yield Finding("torchvision", "healthy")


def _hub() -> Iterator[Finding]:
    from huggingface_hub import constants, get_token

    yield Finding("Hub", constants.ENDPOINT)
    if constants.is_offline_mode():
        yield Finding("logged in", "unknown, HF_HUB_OFFLINE is set", "unset it to reach the Hub")
    elif get_token() is None:
        yield Finding("logged in", "no", "to publish, log in: hf auth login")
    else:
        yield _token()


def _token() -> Finding:
    from zoo.hub.client import account, hub_client

    try:
        me = account(hub_client(), "your token")
    except ZooError as error:
        return Finding("logged in", "no answer that says so", str(error))
    may = {"read": "may only read", "write": "may write", "fineGrained": "may what you chose for it"}.get(me.role or "")
    orgs = ", ".join(me.owners[1:])
    found = f"as {me.name}{f', in {orgs}' if orgs else ''}"
    advice = "to publish, log in with a token that may write: hf auth login" if me.role == "read" else ""
    return Finding("logged in", f"{found}{f'; the token {may}' if may else ''}", advice)


def _cache() -> Iterator[Finding]:
    from huggingface_hub import CacheNotFound, constants, scan_cache_dir

    folder = Path(constants.HF_HUB_CACHE)
    try:
        held = scan_cache_dir()
        found = f"{held.size_on_disk / 2**20:,.0f} MiB in {folder}, repositories: {len(held.repos)}"
    except CacheNotFound:
        found = f"nothing yet, in {folder}"
    yield Finding("cache", found)
    nearest = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    free = shutil.disk_usage(nearest).free
    advice = "free some: hf cache prune, or set HF_HOME to another disk" if free < FEW_BYTES else ""
    yield Finding("disk", f"{free / 2**30:,.1f} GiB free", advice)


def _table(findings: list[Finding]) -> "Table":
    from rich.text import Text

    table = plain_table("", ("", "", ""), ())
    table.show_header = False
    table.columns[1].overflow = "fold"
    for finding in findings:
        mark = Text("!" if finding.advice else "", style="bold red")
        table.add_row(plain(finding.what), plain(finding.found), mark + Text(" ") + plain(finding.advice))
    return table
