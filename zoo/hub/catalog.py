"""Which models there are: in a folder of this machine, and on the Hub."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from zoo.errors import ZooError
from zoo.hub.client import hub_client
from zoo.hub.errors import hub_errors
from zoo.model_folder.config import ModelConfig, read_config
from zoo.model_folder.folder import CONFIG, WEIGHTS
from zoo.record.training import CARD_KEY, TAG, CardRecord


class _Item(msgspec.Struct):
    """One model in the Hub's own list, as far as it is read here."""

    id: str
    sha: str | None = None
    last_modified: datetime | None = msgspec.field(name="lastModified", default=None)
    private: bool | None = None
    card_data: Any = msgspec.field(name="cardData", default=None)


@dataclass(frozen=True)
class Listed:
    """One model, as far as it is known without its weights.

    Args:
        ref: folder or Hub id, as `compare` takes it.
        kind: `folder` or `hub`.
        architecture: `cifar_resnet`, or one of timm's; None where it is not known, like everything below.
        depth: of a member of one of the families.
        width: of a member of one of the families.
        dataset: that it was trained on.
        subset: fraction of the training images, such as `1/4`.
        seed: of its training.
        accuracy: fraction of the test images that it gets right.
        parameters: how many numbers it has learned.
        revision: commit on the Hub.
        updated: when, in ISO 8601 and UTC.
        private: whether only its owner sees it on the Hub.
    """

    ref: str
    kind: str
    architecture: str | None = None
    depth: int | None = None
    width: float | None = None
    dataset: str | None = None
    subset: str | None = None
    seed: int | None = None
    accuracy: float | None = None
    parameters: int | None = None
    revision: str | None = None
    updated: str | None = None
    private: bool | None = None


def local_models(root: Path) -> Iterator[Listed]:
    """The model folders directly in a folder, by name; what is none, or unreadable, is passed over."""
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file() and not folder.name.startswith("."):
            with suppress(ZooError):
                yield local_model(folder)


def local_model(folder: Path) -> Listed:
    """One model folder.

    Raises:
        ZooError: its config.json is missing or unusable.
    """
    config, weights = read_config(folder), folder / WEIGHTS
    updated = datetime.fromtimestamp(weights.stat().st_mtime, UTC) if weights.is_file() else None
    return listed(str(folder), "folder", config, updated=updated)


def hub_models(owner: str | None) -> Iterator[Listed]:
    """The models on the Hub that this program published, last updated first.

    Args:
        owner: a user or organisation; everybody if None.

    Raises:
        ZooError: the Hub cannot be reached.
    """
    from huggingface_hub.utils import build_hf_headers, paginate

    client = hub_client()
    asked = [("filter", TAG), ("sort", "lastModified"), *([("author", owner)] if owner else [])]
    asked += [("expand", part) for part in ("sha", "lastModified", "private", "cardData")]
    with hub_errors(f"models of {owner}" if owner else "models on the Hub"):
        # Not `list_models`, which ends at the first card that somebody wrote wrong.
        for item in paginate(f"{client.endpoint}/api/models", asked, build_hf_headers()):
            with suppress(msgspec.MsgspecError):
                yield _published(msgspec.convert(item, _Item))


def listed(
    ref: str, kind: str, config: ModelConfig, *, revision: str | None = None, updated: datetime | None = None
) -> Listed:
    """What a model's config.json says of it."""
    spec, ours = config.spec, config.zoo
    return Listed(
        ref=ref,
        kind=kind,
        architecture=config.architecture,
        depth=spec.depth if spec else None,
        width=spec.width if spec else None,
        dataset=ours.dataset if ours else None,
        subset=ours.subset if ours else None,
        seed=ours.seed if ours else None,
        accuracy=ours.accuracy if ours else None,
        parameters=spec.parameters if spec else None,
        revision=revision,
        updated=_iso(updated),
    )


def matching(models: Iterable[Listed], **wanted: Any) -> list[Listed]:
    """Those of which every field that is asked for has one of the values asked for; an empty list asks for nothing."""
    return [
        model for model in models if all(getattr(model, field) in values for field, values in wanted.items() if values)
    ]


def _published(item: _Item) -> Listed:
    """What the metadata of a model's card says of it, if it is as this program writes it."""
    base = Listed(item.id, "hub", revision=item.sha, updated=_iso(item.last_modified), private=item.private)
    card = item.card_data.get(CARD_KEY) if isinstance(item.card_data, dict) else None
    try:
        record = msgspec.convert(card, CardRecord)
    except msgspec.MsgspecError:
        return base
    return replace(base, **asdict(record))


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
