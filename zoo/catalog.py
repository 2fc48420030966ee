"""Which models there are: in a folder of this machine, and on the Hub."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.config import ModelConfig, read_config
from zoo.errors import ZooError
from zoo.folder import CONFIG, WEIGHTS
from zoo.hub import hub_client
from zoo.hub_errors import hub_errors
from zoo.record import CARD_KEY, TAG, CardRecord

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo


@dataclass(frozen=True)
class Listed:
    """One model, as far as it is known without its weights.

    Args:
        ref: folder or Hub id, as `compare` takes it.
        kind: `folder` or `hub`.
        architecture: `cifar_resnet`, or one of timm's; None where it is not known, like everything below.
        depth: of a variant.
        width: of a variant.
        dataset: that it was trained on.
        subset: fraction of the training images, such as `1/4`.
        seed: of its training.
        accuracy: fraction of the test images that it gets right.
        parameters: how many numbers it has learned.
        revision: commit on the Hub.
        updated: when, in ISO 8601 and UTC.
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


def local_models(root: Path) -> Iterator[Listed]:
    """The model folders directly in a folder, by name; what is none, or unreadable, is passed over."""
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file() and not folder.name.startswith("."):
            try:
                config = read_config(folder)
            except ZooError:
                continue
            updated = datetime.fromtimestamp((folder / WEIGHTS).stat().st_mtime, UTC)
            yield listed(str(folder), "folder", config, updated=updated)


def hub_models(owner: str | None) -> Iterator[Listed]:
    """The models on the Hub that this program published, last updated first.

    Args:
        owner: a user or organisation; everybody if None.

    Raises:
        ZooError: the Hub cannot be reached.
    """
    client = hub_client()
    with hub_errors(f"models of {owner}" if owner else "models on the Hub"):
        found = client.list_models(
            author=owner, filter=TAG, sort="last_modified", expand=["sha", "lastModified", "cardData"]
        )
        for info in found:
            yield _published(info)


def listed(
    ref: str, kind: str, config: ModelConfig, *, revision: str | None = None, updated: datetime | None = None
) -> Listed:
    """What a model's config.json says of it."""
    variant, ours = config.variant, config.zoo
    return Listed(
        ref=ref,
        kind=kind,
        architecture=config.architecture,
        depth=variant.depth if variant else None,
        width=variant.width if variant else None,
        dataset=ours.dataset if ours else None,
        subset=ours.subset if ours else None,
        seed=ours.seed if ours else None,
        accuracy=ours.accuracy if ours else None,
        parameters=variant.parameters if variant else None,
        revision=revision,
        updated=_iso(updated),
    )


def matching(models: Iterable[Listed], **wanted: Any) -> list[Listed]:
    """Those of which every field that is asked for has one of the values asked for; an empty list asks for nothing."""
    return [
        model for model in models if all(getattr(model, field) in values for field, values in wanted.items() if values)
    ]


def _published(info: "ModelInfo") -> Listed:
    """What the metadata of a model's card says of it, if it is as this program writes it."""
    base = Listed(ref=info.id, kind="hub", revision=info.sha, updated=_iso(info.last_modified))
    card = info.card_data.to_dict().get(CARD_KEY) if info.card_data else None
    try:
        record = msgspec.convert(card, CardRecord)
    except msgspec.MsgspecError:
        return base
    return replace(base, **asdict(record))


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
