"""Model references, and how a model comes from the Hub: pinned to a commit, checked, and only what is needed."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from zoo.base.files import file_sha256
from zoo.errors import ZooError
from zoo.hub.client import hub_client
from zoo.hub.commits import commit_of, look_up, remember
from zoo.hub.errors import hub_errors
from zoo.hub.ref import HubFile, HubRef, parse_ref
from zoo.model_folder.config import MAX_BYTES, read_config
from zoo.model_folder.folder import CARD, CONFIG, CURVE, HEATMAP, RECORD, WEIGHTS
from zoo.model_folder.snapshots import folder_of_epoch

# What a model folder may hold beside configuration and weights.
EXTRAS = (CARD, RECORD, CURVE, HEATMAP)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Snapshot:
    """A model repository at one commit.

    Args:
        ref: what was asked for.
        commit: its full hash.
        files: by name; None offline, where only the cache is known.
        updated: when the repository last changed; None offline.
        inside: folder of the repository that the model is in, such as `epochs/10/`; empty for the repository itself.
    """

    ref: HubRef
    commit: str
    files: Mapping[str, HubFile] | None
    updated: datetime | None = None
    inside: str = ""

    def has(self, name: str) -> bool:
        """Whether there is such a file; offline, whether it is in the cache."""
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
    """Find the commit that a reference means now; offline, the one in the cache.

    `owner/name@epoch10` is the snapshot of that epoch in the main branch, if there is one.

    Raises:
        ZooError: the Hub has no such model or revision for this user, or cannot be reached.
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
    """A folder of a repository at a revision; None if it is not in the cache, offline."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        config = _cached(ref, revision or "main", inside + CONFIG)
        if config is None:
            return None
        return Snapshot(ref, config.parents[inside.count("/")].name, None, inside=inside)
    client = hub_client()
    with hub_errors(str(ref)):
        info = look_up(client, replace(ref, revision=revision))
    files = {
        file.rfilename.removeprefix(inside): HubFile(
            file.size or 0, file.lfs.sha256 if file.lfs else file.blob_id or ""
        )
        for file in info.siblings or ()
        if file.rfilename.startswith(inside)
    }
    return Snapshot(ref, commit_of(ref, info), files, info.last_modified, inside)


def download(snapshot: Snapshot, name: str) -> Path:
    """One file of a snapshot, in the cache of the Hub's client, with the content that the Hub says it has.

    Raises:
        ZooError: there is no such file, it cannot be downloaded, or it came out damaged.
    """
    if snapshot.files is None:
        cached = _cached(snapshot.ref, snapshot.commit, snapshot.inside + name)
        if cached is None:
            raise _not_cached(snapshot.ref, name)
        return _intact(cached, None, snapshot.ref)
    if name not in snapshot.files:
        raise ZooError(f"expected {name} in {snapshot.ref}, got {_some(list(snapshot.files))}; choose another model.")
    if name != WEIGHTS and snapshot.files[name].size > MAX_BYTES:
        raise ZooError(f"{snapshot.ref}: expected a {name} of at most {MAX_BYTES:,} bytes; choose another model.")
    client = hub_client(bars=name == WEIGHTS)
    with hub_errors(f"{snapshot.ref}: {name}"):
        path = client.hf_hub_download(snapshot.ref.repo_id, snapshot.inside + name, revision=snapshot.commit)
    return _intact(Path(path), snapshot.files[name].digest, snapshot.ref)


def fetch(snapshot: Snapshot, *, whole: bool = False) -> Path:
    """Download configuration and weights of a snapshot, the weights only if the configuration can be built.

    Args:
        snapshot: of a model repository.
        whole: bring its card with the pictures, and the training record of a variant, if it has them.

    Returns:
        A folder in the client's cache.

    Raises:
        ZooError: as `download`, or the configuration is unusable.
    """
    folder = download(snapshot, CONFIG).parent
    config = read_config(folder)
    if config.variant is None:
        from zoo.family.timm_build import check_architecture

        check_architecture(config.architecture)
    download(snapshot, WEIGHTS)
    for name in EXTRAS if whole else ():
        if snapshot.has(name):
            download(snapshot, name)
    if snapshot.files is not None:
        remember(replace(snapshot.ref, revision=None) if snapshot.inside else snapshot.ref, snapshot.commit, "model")
    return folder


def _cached(ref: HubRef, revision: str, name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    with hub_errors(str(ref)):
        path = try_to_load_from_cache(ref.repo_id, name, revision=revision)
    return Path(path) if isinstance(path, str) else None


def _not_cached(ref: HubRef, name: str) -> ZooError:
    return ZooError(
        f"{name} of {ref} is not in the cache, and HF_HUB_OFFLINE keeps the Hub away; unset it, and run "
        f"`zoo pull {ref}` once."
    )


def _intact(path: Path, digest: str | None, ref: HubRef) -> Path:
    """Throw a file away whose content is not what its hash says."""
    blob = path.resolve()
    # Offline, the client's name for what it keeps is the hash that the Hub gave.
    expected = digest or (blob.name if _SHA256.fullmatch(blob.name) else "")
    if expected and content_hash(blob, like=expected) != expected:
        path.unlink()
        blob.unlink(missing_ok=True)
        raise ZooError(
            f"{ref}: {path.name} came out damaged (its hash is not {expected[:12]}...) and was thrown away; "
            "fetch it again."
        )
    return path


def content_hash(content: Path | bytes, like: str) -> str:
    """Hash of a content in the way that the Hub names such a file: sha256, or git's for small ones.

    Args:
        content: in memory, or in a file.
        like: a hash of the same kind.
    """
    if isinstance(content, Path) and _SHA256.fullmatch(like):
        return file_sha256(content)
    data = content.read_bytes() if isinstance(content, Path) else content
    if _SHA256.fullmatch(like):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _some(names: list[str]) -> str:
    return (", ".join(names[:5]) + (", ..." if len(names) > 5 else "")) or "no files"
