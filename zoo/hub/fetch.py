"""Download models from the Hub: pinned to a commit, checked by hash, and only the necessary files."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from zoo.base.files import file_sha256
from zoo.errors import ZooError
from zoo.hub.client import hub_client
from zoo.hub.commits import cache_commit, commit_of, get_repo_info
from zoo.hub.errors import hub_errors
from zoo.hub.ref import HubFile, HubRef, parse_ref
from zoo.model_folder.config_reader import MAX_BYTES, read_config
from zoo.model_folder.folder import CARD, CONFIG, CURVE, HEATMAP, INDEX, PREPROCESSOR, PROCESSOR, RECORD, WEIGHTS
from zoo.model_folder.snapshots import folder_of_epoch
from zoo.model_folder.weights import no_weights, part_names, weights_sha256

# Optional files of a model folder.
EXTRAS = (CARD, RECORD, CURVE, HEATMAP)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Snapshot:
    """A model repository at one commit.

    Args:
        ref: the requested repository and revision.
        commit: full commit hash.
        files: files by name; None offline.
        updated: time of the last change of the repository; None offline.
        inside: folder of the model in the repository, such as `epochs/10/`; empty for the root.
        private: whether only its owner can read it; False offline.
        gated: whether its owner decides who may read it; False offline.
        parameters: number of parameters that the Hub counted in the weights; None if it did not.
    """

    ref: HubRef
    commit: str
    files: Mapping[str, HubFile] | None
    updated: datetime | None = None
    inside: str = ""
    private: bool = False
    gated: bool = False
    parameters: int | None = None

    def has(self, name: str) -> bool:
        """Whether a file exists; offline, whether it is in the cache."""
        if self.files is None:
            return _cached(self.ref, self.commit, self.inside + name) is not None
        return name in self.files


def resolve(ref: str | Path) -> Path:
    """Find the local folder of a model; a model on the Hub is downloaded unless it is cached.

    Args:
        ref: path of a model folder, or a Hub id `owner/name[@revision]`, also as `hf://owner/name[@revision]`.

    Returns:
        The folder of the model.

    Raises:
        ZooError: the model does not exist, cannot be downloaded, or is damaged.

    Example:
        >>> import tempfile, zoo
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     zoo.resolve(folder).is_dir()
        True
        >>> zoo.resolve("me/resnet14-w1-digits@v1")  # doctest: +SKIP
        PosixPath('/home/me/.cache/huggingface/hub/models--me--resnet14-w1-digits/snapshots/0123...')
    """
    place = parse_ref(str(ref))
    return place if isinstance(place, Path) else fetch(pin(place))


def pin(ref: HubRef) -> Snapshot:
    """Resolve a reference to a commit; offline, to the commit in the cache.

    `owner/name@epoch10` means the snapshot of that epoch in the main branch, if it exists.

    Args:
        ref: repository and revision.

    Raises:
        ZooError: the model or revision does not exist or is not accessible, or the Hub cannot be reached.
    """
    inside = folder_of_epoch(ref.revision)
    if inside is not None:
        snapshot = _pin(ref, None, inside)
        if snapshot is not None and snapshot.has(CONFIG):
            return snapshot
    snapshot = _pin(ref, ref.revision, "")
    if snapshot is None:
        raise _not_cached(ref, CONFIG)
    return snapshot


def _pin(ref: HubRef, revision: str | None, inside: str) -> Snapshot | None:
    """Resolve a folder of a repository at a revision; None if offline and not in the cache."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        config = _cached(ref, revision or "main", inside + CONFIG)
        if config is None:
            return None
        return Snapshot(ref, config.parents[inside.count("/")].name, None, inside=inside)
    client = hub_client()
    with hub_errors(str(ref)):
        info = get_repo_info(client, replace(ref, revision=revision))
        files = {
            file.rfilename.removeprefix(inside): HubFile(
                file.size or 0, file.lfs.sha256 if file.lfs else file.blob_id or ""
            )
            for file in info.siblings or ()
            if file.rfilename.startswith(inside)
        }
        parameters = info.safetensors.total if info.safetensors else None
    return Snapshot(
        ref,
        commit_of(ref, info),
        files,
        info.last_modified,
        inside,
        private=bool(info.private),
        gated=bool(info.gated),
        parameters=parameters,
    )


def download(snapshot: Snapshot, name: str) -> Path:
    """Download one file into the client's cache, and check its hash.

    Args:
        snapshot: the model repository at a commit.
        name: name of the file.

    Returns:
        Path of the file in the cache.

    Raises:
        ZooError: the file does not exist, cannot be downloaded, or is damaged.
    """
    if snapshot.files is None:
        cached = _cached(snapshot.ref, snapshot.commit, snapshot.inside + name)
        if cached is None:
            raise _not_cached(snapshot.ref, name)
        return _intact(cached, None, snapshot.ref)
    if name not in snapshot.files:
        raise ZooError(f"expected {name} in {snapshot.ref}, got {_some(list(snapshot.files))}; choose another model.")
    is_weights = name.endswith(".safetensors")
    if not is_weights and snapshot.files[name].size > MAX_BYTES:
        raise ZooError(f"{snapshot.ref}: expected a {name} of at most {MAX_BYTES:,} bytes; choose another model.")
    client = hub_client(bars=is_weights)
    with hub_errors(f"{snapshot.ref}: {name}"):
        path = client.hf_hub_download(snapshot.ref.repo_id, snapshot.inside + name, revision=snapshot.commit)
    return _intact(Path(path), snapshot.files[name].digest, snapshot.ref)


def fetch_config(snapshot: Snapshot) -> Path:
    """Download the configuration of a model, and the preprocessing that transformers stores beside it.

    Args:
        snapshot: the model repository at a commit.

    Returns:
        A folder in the client's cache.

    Raises:
        ZooError: a file cannot be downloaded or is damaged.
    """
    folder = download(snapshot, CONFIG).parent
    for name in (PREPROCESSOR, PROCESSOR):
        if snapshot.has(name):
            download(snapshot, name)
    return folder


def weight_names(snapshot: Snapshot) -> tuple[str, ...]:
    """Names of the files that hold the weights of a model; only their index is downloaded, if there is one.

    Args:
        snapshot: the model repository at a commit.

    Raises:
        ZooError: the index cannot be downloaded, or is damaged.
    """
    if snapshot.has(WEIGHTS) or not snapshot.has(INDEX):
        return (WEIGHTS,)
    return part_names(download(snapshot, INDEX))


def weights_digest(snapshot: Snapshot) -> str | None:
    """Hash of the weights of a model, as `FoundModel.sha256`, without downloading them; None if there are none.

    Args:
        snapshot: the model repository at a commit.

    Raises:
        ZooError: see `weight_names`.
    """
    files, names = snapshot.files or {}, weight_names(snapshot)
    return weights_sha256([files[name].digest for name in names]) if files.keys() >= set(names) else None


def fetch(snapshot: Snapshot, *, whole: bool = False) -> Path:
    """Download configuration and weights of a model; the weights only if the configuration is usable.

    Args:
        snapshot: the model repository at a commit.
        whole: also download model card, pictures, and training record, if they exist.

    Returns:
        A folder in the client's cache.

    Raises:
        ZooError: a file cannot be downloaded or is damaged, the repository has no weights that can be read, or the
            configuration is unusable.
    """
    from zoo.model_folder.checkpoint import check_known

    _check_has_weights(snapshot)
    folder = fetch_config(snapshot)
    check_known(folder, read_config(folder))
    for name in weight_names(snapshot):
        download(snapshot, name)
    for name in EXTRAS if whole else ():
        if snapshot.has(name):
            download(snapshot, name)
    if snapshot.files is not None:
        cache_commit(
            replace(snapshot.ref, revision=None) if snapshot.inside else snapshot.ref, snapshot.commit, "model"
        )
    return folder


def _check_has_weights(snapshot: Snapshot) -> None:
    """Check the list of files, before anything is downloaded."""
    if snapshot.files is not None and snapshot.has(CONFIG) and not (snapshot.has(WEIGHTS) or snapshot.has(INDEX)):
        raise no_weights(f"{WEIGHTS} of {snapshot.ref}", snapshot.files)


def _cached(ref: HubRef, revision: str, name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    with hub_errors(str(ref)):
        path = try_to_load_from_cache(ref.repo_id, name, revision=revision)
    return Path(path) if isinstance(path, str) else None


def _not_cached(ref: HubRef, name: str) -> ZooError:
    return ZooError(
        f"{name} of {ref} is not in the cache, and HF_HUB_OFFLINE is set; unset it and run `zoo pull {ref}` once."
    )


def _intact(path: Path, digest: str | None, ref: HubRef) -> Path:
    """Check the hash of a file; a damaged file is deleted."""
    blob = path.resolve()
    # Offline, use the file name in the cache, which is the Hub's hash.
    expected = digest or (blob.name if _SHA256.fullmatch(blob.name) else "")
    if expected and content_hash(blob, like=expected) != expected:
        path.unlink()
        blob.unlink(missing_ok=True)
        raise ZooError(
            f"{ref}: {path.name} is damaged (its hash is not {expected[:12]}...) and was deleted; download it again."
        )
    return path


def content_hash(content: Path | bytes, like: str) -> str:
    """Compute the hash that the Hub uses for a file: sha256 for LFS files, the git blob hash for small files.

    Args:
        content: a file, or its content.
        like: a hash of the same kind, which selects the algorithm by its length.
    """
    if isinstance(content, Path) and _SHA256.fullmatch(like):
        return file_sha256(content)
    data = content.read_bytes() if isinstance(content, Path) else content
    if _SHA256.fullmatch(like):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _some(names: list[str]) -> str:
    return (", ".join(names[:5]) + (", ..." if len(names) > 5 else "")) or "no files"
