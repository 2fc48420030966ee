"""The cache of results: a repeated command returns at once, without loading any model."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import msgspec

from cli.terminal.output import detail, say
from zoo.base.cache_folder import cache_folder
from zoo.base.files import file_sha256, replace_file
from zoo.base.foreign import JSON_ERRORS
from zoo.model_folder.weights import config_files

if TYPE_CHECKING:
    from compare.result.base import JsonResult
    from zoo.hub.find import FoundModel


Result = TypeVar("Result", bound="JsonResult")
# Height by width by channels, from 0 to 255.
Image = list[list[list[int]]]
# Version of the file formats and of the keys.
LAYOUT = 1
# Each call would read the metadata of a package again.
version = cache(metadata.version)
PACKAGES = ("resnet-zoo", "torch", "timm", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True)
class ResultWithImages(Generic[Result]):
    """A result and the images that its report shows, by index in their split."""

    result: Result
    images: Mapping[int, Image]


class _Entry(msgspec.Struct):
    """A file of the cache. The hash of the result detects damage."""

    title: str
    sha256: str
    result: str
    images: dict[int, Image]


class File(NamedTuple):
    """A file of the cache: time of its last use in seconds, size in bytes, and path."""

    time: float
    size: int
    path: Path


def folder() -> Path:
    """The folder of cached results."""
    return cache_folder() / "results"


def newest_first(folder: Path) -> list[File]:
    """All files of a folder, except those that another process removes at the same time."""
    files = []
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            stat = path.stat()
            files.append(File(stat.st_mtime, stat.st_size, path))
    return sorted(files, reverse=True)


def cache_key(command: str, models: Sequence["FoundModel"], data: str, *options: object) -> str:
    """The key of a cached result: a hash of weights, configurations, images, options, source code, and versions.

    Images are not read, since that can take as long as computing the result. An identifier stands for them, and the
    result contains their fingerprint.

    Args:
        command: name of the command.
        models: the models.
        data: identifies the images: `zoo.data.sources.identity`, or their fingerprint if they are loaded.
        options: everything else that the result depends on; dataclasses or JSON values.
    """
    weights = [(model.sha256, *map(file_sha256, config_files(model.folder))) for model in models]
    transformers = ["transformers"] if any(model.config.transformers_class for model in models) else []
    versions = {name: version(name) for name in (*PACKAGES, *transformers)}
    key = [LAYOUT, command, weights, data, options, versions, _source_code()]
    return hashlib.sha256(msgspec.json.encode(key, order="sorted")).hexdigest()


@cache
def _source_code() -> list[tuple[str, str]]:
    """Paths and hashes of all source files, since a checkout changes without changing its version.

    Paths are relative, so machines with the same files share a cache.
    """
    import cards
    import cli
    import compare
    import zoo

    folders = [Path(package.__path__[0]) for package in (cards, cli, compare, zoo)]
    paths = [(path, folder.parent) for folder in folders for path in sorted(folder.rglob("*.py"))]
    return [(path.relative_to(root).as_posix(), file_sha256(path)) for path, root in paths]


def recall(
    kind: type[Result], name: str, title: str, compute: Callable[[], ResultWithImages[Result]], fresh: bool
) -> ResultWithImages[Result]:
    """Return a cached result, or compute and cache it.

    Args:
        kind: type of the result.
        name: key of the result, from `cache_key`.
        title: shown by `zoo cache list`.
        compute: computes the result.
        fresh: ignore a cached result.
    """
    path = folder() / f"{name}.json"
    cached = None if fresh else _read(kind, path)
    if cached is not None:
        detail(f"using the cached result {path}.")
        return cached
    computed = compute()
    text = computed.result.to_json()
    _write(path, _Entry(title, hashlib.sha256(text.encode()).hexdigest(), text, dict(computed.images)))
    # From JSON, so that it is rounded in the same way as a cached result.
    return ResultWithImages(kind.from_json(text), computed.images)


def _read(kind: type[Result], path: Path) -> ResultWithImages[Result] | None:
    from compare.errors import CompareError

    try:
        entry = _entry(path)
        return None if entry is None else ResultWithImages(kind.from_json(entry.result), entry.images)
    except (*JSON_ERRORS, CompareError, ValueError):
        say(f"the cached result {path} is damaged; computing it again.")
        return None


def _entry(path: Path) -> _Entry | None:
    """Read a file of the cache.

    Returns:
        None if there is no such file.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        entry = msgspec.json.decode(path.read_bytes(), type=_Entry)
    except OSError:
        return None
    if hashlib.sha256(entry.result.encode()).hexdigest() != entry.sha256:
        raise ValueError("the hash differs")
    return entry


def _write(path: Path, entry: _Entry) -> None:
    """Cache a result. A failure is only reported, since the result itself is available."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(entry))
    except OSError as error:
        say(f"cannot cache the result in {path.parent} ({error.strerror}); choose another folder with ZOO_CACHE.")


def title(path: Path) -> str:
    """The title of a cached result."""
    try:
        entry = _entry(path)
    except (*JSON_ERRORS, ValueError):
        return "(damaged)"
    return entry.title if entry else "(removed)"
