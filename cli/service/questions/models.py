"""Pin the models of a question: their commits, and the hashes of their weights, which are not downloaded."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from cli.service.errors import UnusableError
from cli.service.questions.failures import check_public, is_unknown_revision, service_errors
from cli.service.questions.names import parse_model
from cli.service.settings import Limits, Settings
from cli.service.store.records import PinnedModel
from zoo.errors import ZooError
from zoo.hub.fetch import Snapshot, fetch, fetch_config, pin, weight_names
from zoo.hub.find import FoundModel
from zoo.hub.ref import HubFile, HubRef
from zoo.model_folder.config import ModelConfig
from zoo.model_folder.config_reader import read_config
from zoo.model_folder.weights import no_weights, weight_files, weights_sha256

SHA256_DIGITS = 64


@dataclass(frozen=True)
class NamedModel(FoundModel):
    """A model of a question. Its weights may not be downloaded yet.

    Args:
        digest: hash of the weights; None if it is that of the files in `folder`.
    """

    digest: str | None = None

    @cached_property
    def sha256(self) -> str:
        """Hash of the weights, as for every found model."""
        return self.digest or super().sha256

    @property
    def pinned(self) -> PinnedModel:
        """The model as a question stores it."""
        ref = f"hf://{self.name.partition('@')[0]}@{self.revision}" if self.revision else str(self.folder)
        return PinnedModel(self.name, ref, self.revision, self.sha256)


def find_model(name: str, settings: Settings) -> NamedModel:
    """Find a model and check its configuration. Of a model on the Hub, only its metadata and configuration are read.

    Args:
        name: see `cli.service.questions.names.parse_model`.
        settings: settings of the service.

    Raises:
        ServiceError: the model does not exist, is too large, has no weights, or may not be compared here.
        UnavailableError: the Hub does not answer.
    """
    place = parse_model(name, settings.models)
    return _local(place, settings.limits) if isinstance(place, Path) else _on_hub(place, settings)


def _local(folder: Path, limits: Limits) -> NamedModel:
    name = folder.name
    with service_errors(name, folder):
        config = read_config(folder)
        _check_size(name, sum(path.stat().st_size for path in weight_files(folder)), _parameters(config), limits)
        return NamedModel(name, name, folder, config)


def _on_hub(ref: HubRef, settings: Settings) -> NamedModel:
    name = str(ref)
    with service_errors(name):
        snapshot = _pin(ref, settings.allow_private)
        if snapshot.files is None:
            # Offline, the cache holds what there is.
            folder = fetch(snapshot)
            return NamedModel(name, name, folder, read_config(folder), snapshot.commit)
        weights = _weights(snapshot)
        size = sum(file.size for file in weights)
        _check_size(name, size, snapshot.parameters, settings.limits)
        # Small weights may be stored without sha256; those are downloaded to compute it.
        have_sha256 = all(len(file.digest) == SHA256_DIGITS for file in weights)
        folder = fetch_config(snapshot) if have_sha256 else fetch(snapshot)
        digest = weights_sha256([file.digest for file in weights]) if have_sha256 else None
    with service_errors(name, folder):
        config = read_config(folder)
        _check_size(name, size, _parameters(config), settings.limits)
        return NamedModel(name, name, folder, config, snapshot.commit, digest)


def _weights(snapshot: Snapshot) -> list[HubFile]:
    """The files of the weights of a model on the Hub, in order.

    Raises:
        ZooError: there are none.
    """
    files, names = snapshot.files or {}, weight_names(snapshot)
    if missing := [name for name in names if name not in files]:
        raise no_weights(f"{missing[0]} of {snapshot.ref}", files)
    return [files[name] for name in names]


def _pin(ref: HubRef, allow_private: bool) -> Snapshot:
    """Find the commit of a model, which everyone can read unless `allow_private`."""
    try:
        snapshot = pin(ref)
    except ZooError as error:
        if not allow_private and is_unknown_revision(error):
            # Of a private repository, nobody learns whether it has a revision.
            check_public(str(ref), pin(replace(ref, revision=None)))
        raise
    if not allow_private:
        check_public(str(ref), snapshot)
    return snapshot


def _parameters(config: ModelConfig) -> int | None:
    return config.spec.parameters if config.spec else None


def _check_size(name: str, size: int, parameters: int | None, limits: Limits) -> None:
    if size > limits.model_bytes:
        raise UnusableError(
            f"{name} has {size:,} bytes of weights, and this server compares models of at most "
            f"{limits.model_bytes:,}; choose a smaller model."
        )
    if parameters is not None and parameters > limits.parameters:
        raise UnusableError(
            f"{name} has {parameters:,} parameters, and this server compares models of at most "
            f"{limits.parameters:,}; choose a smaller model."
        )
