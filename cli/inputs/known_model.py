"""The details of a model that are available without running it."""

from dataclasses import dataclass, replace
from pathlib import Path

from zoo.base.files import clean_name, file_sha256
from zoo.hub.catalog import Listed, listed, local_model
from zoo.model_folder.config import ModelConfig
from zoo.model_folder.config_reader import read_config
from zoo.model_folder.folder import INDEX, RECORD, WEIGHTS, read_record
from zoo.model_folder.weights import weight_files, weights_sha256
from zoo.record.training import TrainingRecord


@dataclass(frozen=True)
class KnownModel:
    """The details of a model.

    Args:
        summary: the entry of the model in a list of models.
        config: content of config.json.
        record: training record; None if there is none.
        sha256: hash of the weights; None if there are none.
        files: sizes of the files in bytes, by name.
    """

    summary: Listed
    config: ModelConfig
    record: TrainingRecord | None
    sha256: str | None
    files: dict[str, int]


def find_known(ref: str) -> KnownModel:
    """Find the details of a model in a folder or on the Hub.

    From the Hub, only configuration and training record are downloaded.

    Args:
        ref: reference to the model.

    Raises:
        ZooError: there is no such model, or its files are damaged.
    """
    from zoo.hub.fetch import download, fetch_config, pin, weights_digest
    from zoo.hub.ref import parse_ref

    place = parse_ref(ref)
    if isinstance(place, Path):
        return _in_folder(place)
    snapshot = pin(place)
    config = read_config(fetch_config(snapshot))
    record = read_record(download(snapshot, RECORD).parent) if snapshot.has(RECORD) else None
    files = snapshot.files or {}
    return KnownModel(
        summary=listed(str(place), "hub", config, revision=snapshot.commit, updated=snapshot.updated),
        config=config,
        record=record,
        sha256=weights_digest(snapshot),
        files={name: file.size for name, file in files.items()},
    )


def _in_folder(folder: Path) -> KnownModel:
    return KnownModel(
        summary=replace(local_model(folder), ref=clean_name(str(folder))),
        config=read_config(folder),
        record=read_record(folder) if (folder / RECORD).is_file() else None,
        sha256=_sha256(folder),
        files={clean_name(path.name): path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()},
    )


def _sha256(folder: Path) -> str | None:
    if not any((folder / name).is_file() for name in (WEIGHTS, INDEX)):
        return None
    return weights_sha256([file_sha256(path) for path in weight_files(folder)])
