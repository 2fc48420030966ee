"""List models in a local folder and on the Hub."""

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
from zoo.model_folder.config import ModelConfig
from zoo.model_folder.config_reader import read_config
from zoo.model_folder.folder import CONFIG, INDEX, WEIGHTS
from zoo.record.training import CARD_KEY, TAG, CardRecord

# Fields of the Hub's listing that are used here.
FIELDS = ("sha", "lastModified", "private", "cardData")


class _Item(msgspec.Struct):
    """One model in the Hub's listing; only the fields that are used here."""

    id: str
    sha: str | None = None
    last_modified: datetime | None = msgspec.field(name="lastModified", default=None)
    private: bool | None = None
    card_data: Any = msgspec.field(name="cardData", default=None)


@dataclass(frozen=True)
class Listed:
    """One model in a listing. Unknown values are None.

    Args:
        ref: model reference: folder or Hub id.
        kind: `folder` or `hub`.
        architecture: `cifar_resnet`, or the name of a timm architecture, or `transformers` and the name of a class.
        depth: depth of a member of a family.
        width: width multiplier of a member of a family.
        dataset: name of the training dataset.
        subset: fraction of the training images that was used, such as `1/4`.
        seed: seed of the training run.
        accuracy: fraction of correctly classified test images.
        parameters: number of trainable parameters.
        revision: commit on the Hub.
        updated: time of the last update, in ISO 8601 and UTC.
        private: whether the repository on the Hub is private.
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


def check_folder(root: Path, option: str) -> None:
    """Check that a folder of models exists.

    Args:
        root: folder that holds model folders.
        option: the option that names it, for the message.

    Raises:
        ZooError: it does not exist.
    """
    if not root.is_dir():
        raise ZooError(f"expected a folder that holds models, but there is no folder {root}; correct {option}.")


def local_models(root: Path) -> Iterator[Listed]:
    """List the model folders in a folder, by name; unreadable ones are skipped.

    Args:
        root: folder that holds model folders.
    """
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        with suppress(ZooError, OSError):
            if (folder / CONFIG).is_file() and _weights(folder) is not None and not folder.name.startswith("."):
                yield local_model(folder)


def local_model(folder: Path) -> Listed:
    """Describe one model folder.

    Raises:
        ZooError: its config.json is missing or unusable.
    """
    config, weights = read_config(folder), _weights(folder)
    updated = datetime.fromtimestamp(weights.stat().st_mtime, UTC) if weights else None
    return listed(str(folder), "folder", config, updated=updated)


def _weights(folder: Path) -> Path | None:
    """The file of a folder's weights, or their index; None if there is neither."""
    return next((folder / name for name in (WEIGHTS, INDEX) if (folder / name).is_file()), None)


def hub_models(owner: str | None) -> Iterator[Listed]:
    """List the models on the Hub that this program published, most recently updated first.

    Args:
        owner: a user or organisation; all owners if None.

    Raises:
        ZooError: the Hub cannot be reached.
    """
    from huggingface_hub.utils import build_hf_headers, paginate

    client = hub_client()
    query = [("filter", TAG), ("sort", "lastModified")]
    query += [("author", owner)] if owner else []
    query += [("expand", field) for field in FIELDS]
    with hub_errors(f"models of {owner}" if owner else "models on the Hub"):
        # Not `list_models`, which fails at the first invalid model card.
        for item in paginate(f"{client.endpoint}/api/models", query, build_hf_headers()):
            with suppress(msgspec.MsgspecError):
                yield _published(msgspec.convert(item, _Item))


def search_hub(text: str, most: int, timeout: float) -> Iterator[Listed]:
    """Search the image classifiers on the Hub, most downloaded first, whichever program published them.

    Args:
        text: part of the name.
        most: number of models at most.
        timeout: seconds to wait for the Hub.

    Raises:
        ZooError: the Hub cannot be reached.
    """
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    query: dict[str, Any] = {
        "search": text,
        "filter": "image-classification",
        "sort": "downloads",
        "limit": most,
        "expand": FIELDS,
    }
    with hub_errors("models on the Hub"):
        answer = get_session().get(
            f"{hub_client().endpoint}/api/models", params=query, headers=build_hf_headers(), timeout=timeout
        )
        hf_raise_for_status(answer)
        for item in answer.json():
            with suppress(msgspec.MsgspecError):
                yield _published(msgspec.convert(item, _Item))


def listed(
    ref: str, kind: str, config: ModelConfig, *, revision: str | None = None, updated: datetime | None = None
) -> Listed:
    """Describe a model by its config.json.

    Args:
        ref: model reference.
        kind: `folder` or `hub`.
        config: content of its config.json.
        revision: commit on the Hub.
        updated: time of the last update.
    """
    spec, zoo_part = config.spec, config.zoo
    return Listed(
        ref=ref,
        kind=kind,
        architecture=config.architecture,
        depth=spec.depth if spec else None,
        width=spec.width if spec else None,
        dataset=zoo_part.dataset if zoo_part else None,
        subset=zoo_part.subset if zoo_part else None,
        seed=zoo_part.seed if zoo_part else None,
        accuracy=zoo_part.accuracy if zoo_part else None,
        parameters=spec.parameters if spec else None,
        revision=revision,
        updated=_iso(updated),
    )


def matching(models: Iterable[Listed], **filters: Any) -> list[Listed]:
    """Filter a listing.

    Args:
        models: the models.
        filters: allowed values by field; an empty list allows all values.

    Returns:
        The models that match all filters.
    """
    return [
        model for model in models if all(getattr(model, field) in values for field, values in filters.items() if values)
    ]


def _published(item: _Item) -> Listed:
    """Describe a model by the metadata of its model card, if they have the format of this program."""
    base = Listed(item.id, "hub", revision=item.sha, updated=_iso(item.last_modified), private=item.private)
    card = item.card_data.get(CARD_KEY) if isinstance(item.card_data, dict) else None
    try:
        record = msgspec.convert(card, CardRecord)
    except msgspec.MsgspecError:
        return base
    return replace(base, **asdict(record))


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
