"""What people can choose from: models on this server and on the Hub, and datasets."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

from cli.service.questions.names import BUILT_IN, SHORT_NAMES, model_folders
from cli.service.settings import Settings
from zoo.errors import ZooError
from zoo.hub.catalog import Listed, local_model, search_hub

# Most models of each kind in an answer; more cannot be read at a glance.
MOST = 20
# Seconds for which an answer of the Hub is used again, and for which it is waited for.
FRESH, TIMEOUT = 60, 3.0


@dataclass(frozen=True)
class Models:
    """Models whose names contain a text.

    Args:
        models: the models, those on this server first; `ref` is the name by which they are compared.
        notes: sentences on what is missing; empty if nothing is.
    """

    models: tuple[Listed, ...]
    notes: tuple[str, ...] = ()


def models(text: str, settings: Settings) -> Models:
    """Find models by a part of their names, on this server and among the public image classifiers on the Hub.

    Args:
        text: part of a name; upper and lower case are the same. An empty text finds only models on this server.
        settings: settings of the service.
    """
    local = tuple(_local(text.lower(), settings))[:MOST]
    if not text:
        return Models(local)
    try:
        on_hub = _on_hub(text, int(time.monotonic() / FRESH))
    except ZooError:
        return Models(local, ("The Hub does not answer, so its models are missing.",))
    return Models((*local, *(model for model in on_hub if settings.allow_private or not model.private)))


def datasets(settings: Settings) -> tuple[str, ...]:
    """Names of datasets: those that need no files, those on the Hub with a short name, and those of this server."""
    return (*BUILT_IN, *SHORT_NAMES, *(name for name in settings.datasets if name not in (*BUILT_IN, *SHORT_NAMES)))


def _local(text: str, settings: Settings) -> Iterator[Listed]:
    for name, folder in model_folders(settings.models).items():
        if text in name.lower():
            with suppress(ZooError):
                yield replace(local_model(folder), ref=name)


# An error is no answer, so it is not stored.
@lru_cache(maxsize=1000)
def _on_hub(text: str, minute: int) -> tuple[Listed, ...]:
    return tuple(search_hub(text, MOST, TIMEOUT))
