"""Names of models and datasets in requests. They never name a path, whatever files there are on this machine."""

from collections.abc import Mapping
from pathlib import Path

from cli.service.errors import NotFoundError, ServiceError
from zoo.errors import did_you_mean
from zoo.hub.ref import HubRef, parse_hub_id
from zoo.model_folder.folder import CONFIG
from zoo.model_folder.snapshots import folder_of_epoch
from zoo.record.names import ALIASES, DIGITS, HUB, MNIST5K, Columns, split_columns

BUILT_IN = (DIGITS, *MNIST5K)
# Datasets on the Hub with a short name. Not ImageNet: its files are chosen by its short name, which has no revision.
SHORT_NAMES = {name: repo_id for name, repo_id in ALIASES.items() if name != "imagenet-1k"}


def parse_model(name: str, models: Path) -> HubRef | Path:
    """Find out what a request names.

    Args:
        name: Hub id `owner/name[@revision]`, also as `hf://owner/name`, or the name of a folder in `models`.
        models: the folder of local models.

    Returns:
        The repository, or the model folder.

    Raises:
        ServiceError: the name is malformed, or would run code.
        NotFoundError: there is no local model of this name.
    """
    if name.startswith("py:"):
        raise ServiceError("py: would run code, which this server never does; save the model, and push it to the Hub.")
    if "/" not in name:
        return _local_model(name, models)
    ref = parse_hub_id(name.removeprefix("hf://"))
    if ref is None:
        raise ServiceError(
            f"expected a Hub id OWNER/NAME[@REVISION] or the name of a model on this server, got {name[:200]!r}; "
            "a path is no name."
        )
    _check_repository(ref)
    if folder_of_epoch(ref.revision) is not None:
        raise ServiceError(f"{ref} is a snapshot of an epoch; choose a branch, tag, or commit.")
    return ref


def model_folders(models: Path) -> dict[str, Path]:
    """The local models by name. Folders that lie elsewhere, as symlinks can, are left out.

    Args:
        models: the folder of local models; it may be missing.
    """
    root = models.resolve()
    return {
        config.parent.name: config.parent
        for config in sorted(root.glob(f"[!.]*/{CONFIG}"))
        if config.parent.resolve().parent == root
    }


def _local_model(name: str, models: Path) -> Path:
    folders = model_folders(models)
    if name not in folders:
        near = did_you_mean(name, folders) or "; a model on the Hub is named OWNER/NAME."
        raise NotFoundError(f"there is no model {name[:200]!r} on this server{near}")
    return folders[name]


def parse_dataset(name: str, folders: Mapping[str, Path]) -> tuple[str | HubRef | Path, Columns]:
    """Find out what a request names.

    Args:
        name: `digits`, `mnist5k`, `hf:owner/name[@revision]`, or one of `folders`. The columns of a table may follow,
            as in `photos?label=species`.
        folders: folders of datasets by name.

    Returns:
        The name of a dataset that needs no files, or the repository, or the folder; and the columns.

    Raises:
        ServiceError: the name is malformed.
        NotFoundError: there is no such dataset on this server.
    """
    plain, columns = split_columns(name)
    if not all((text or "").isprintable() for text in (columns.image, columns.label)):
        raise ServiceError(f"expected names of columns on one line, got {name[:200]!r}.")
    if plain in BUILT_IN and columns == Columns():
        return plain, columns
    if plain in folders:
        return folders[plain], columns
    if plain in SHORT_NAMES:
        return HubRef(SHORT_NAMES[plain]), columns
    if not plain.startswith(HUB):
        known = (*BUILT_IN, *SHORT_NAMES, *folders)
        near = did_you_mean(plain, known) or f"; choose {', '.join(known)}, or hf:OWNER/NAME[@REVISION]."
        raise NotFoundError(f"there is no dataset {name[:200]!r} on this server{near}")
    ref = parse_hub_id(plain.removeprefix(HUB))
    if ref is None:
        raise ServiceError(f"expected a dataset hf:OWNER/NAME[@REVISION], got {name[:200]!r}.")
    _check_repository(ref)
    return ref, columns


def _check_repository(ref: HubRef) -> None:
    """Check the length and characters of a repository's name.

    Raises:
        ServiceError: it is no name that the Hub allows.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(ref.repo_id)
    except HFValidationError as error:
        raise ServiceError(
            f"{ref}: invalid name; expected OWNER/NAME of at most 96 letters, digits, and single - _ . inside."
        ) from error
