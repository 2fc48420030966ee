"""The service as a Docker Space on the Hub."""

import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from cli.service.hub.wheel import NAME, write_wheel
from zoo.base.sealed_folder import seal

if TYPE_CHECKING:
    from zoo.hub.publish import Published

PORT = 7860
# What the Space installs besides the package itself.
EXTRAS = ("serve", "transformers")
# Python of the Dockerfile.
PYTHON = "3.11"
_README = f"""---
title: Model comparison
emoji: 🔬
colorFrom: indigo
colorTo: yellow
sdk: docker
app_port: {PORT}
pinned: false
short_description: What two image models share and where they differ
tags:
- resnet-zoo
---

# Model comparison

This Space compares image models on the Hub: which images they disagree on, and which of their layers are similar.

Before its first start, set these in the Space's settings:

- the secret `ZOO_SERVE_TOKEN`: the token that visitors log in with;
- the secret `HF_TOKEN`, if private or gated models are compared, or verdicts are posted in Community tabs;
- the secret `ZOO_SERVE_WEBHOOK_SECRET`, if the Hub sends events to `/api/webhooks/huggingface`;
- persistent storage, so that results survive a restart. Without it, they are lost when the Space restarts.

Browsers send the cookie of the login only to the Space's own address, so open it in a tab of its own.

Written by `zoo serve --push-space`.
"""


def push_service(repo_id: str, *, private: bool = False) -> "Published":
    """Publish the service as a Docker Space, in one commit; the Space is created if it does not exist.

    The Space installs the code that runs here, and the versions of other packages that are installed here.

    Args:
        repo_id: Space `owner/name`.
        private: create a new Space as private.

    Returns:
        URL and commit, and whether it is a new commit.

    Raises:
        ZooError: the user may not push, or the Space is not one that this function wrote.
    """
    from zoo.hub.space import check_space, push_space

    check_space(repo_id, sdk="docker", private=private)
    with tempfile.TemporaryDirectory() as folder:
        service = Path(folder) / "service"
        service.mkdir()
        write_space(service)
        return push_space(service, repo_id, sdk="docker", private=private)


def write_space(folder: Path) -> None:
    """Write the files of the Space.

    Args:
        folder: an empty folder.
    """
    (folder / "Dockerfile").write_bytes((files("cli.service.hub") / "Dockerfile").read_bytes())
    (folder / "README.md").write_text(_README, encoding="utf-8")
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements()), encoding="utf-8")
    write_wheel(folder)
    seal(folder)


def requirements() -> list[str]:
    """All packages that the service needs, at the versions that are installed here, such as `torch==2.13.0`."""
    versions = dict(_versions(NAME, EXTRAS, set()))
    # Local versions, such as 2.13.0+cpu, name a build that another index may not have.
    return sorted(f"{name}=={version.partition('+')[0]}" for name, version in versions.items() if name != NAME)


def _versions(name: str, extras: tuple[str, ...], seen: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Names and versions of a package and of everything that it needs on Linux."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    try:
        package = distribution(name)
    except PackageNotFoundError:
        # An optional package that is not installed here.
        return
    yield canonicalize_name(name), package.version
    for extra in ("", *extras):
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        environment = {"extra": extra, "python_version": PYTHON, "sys_platform": "linux", "platform_system": "Linux"}
        for needed in map(Requirement, package.requires or ()):
            if needed.marker is None or needed.marker.evaluate(environment):
                yield from _versions(needed.name, tuple(needed.extras), seen)
