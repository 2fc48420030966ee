"""Results kept for the next time: the same question is answered at once, without loading any model."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, NamedTuple, TypeVar

import msgspec
import typer

from cli.terminal.output import detail, say
from zoo.base.cache_folder import cache_folder
from zoo.base.files import file_sha256, replace_file
from zoo.model_folder.folder import CONFIG

if TYPE_CHECKING:
    from compare.result.base import JsonResult
    from zoo.hub.find import FoundModel


Result = TypeVar("Result", bound="JsonResult")
# Height by width by channels, from 0 to 255.
Image = list[list[list[int]]]
Option = str | int | float | bool | None | Sequence[str]
# Of how entries and traces are written, and of what their names are made from.
LAYOUT = 1
PACKAGES = ("resnet-zoo", "torch", "timm", "numpy", "scipy", "scikit-learn", "statsmodels")

NoCache = Annotated[bool, typer.Option("--no-cache", help="Compute anew, even if the answer is kept.")]


@dataclass(frozen=True)
class Kept(Generic[Result]):
    """A result, and the images that its report shows, by where they stand in their split."""

    result: Result
    images: Mapping[int, Image]


class _Entry(msgspec.Struct):
    """A file of the cache. The hash tells whether it is whole."""

    title: str
    sha256: str
    result: str
    images: dict[int, Image]


class File(NamedTuple):
    """A file of the cache: when it was written or used last, in seconds, its size in bytes, and its path."""

    time: float
    size: int
    path: Path


def folder() -> Path:
    """Where results are kept."""
    return cache_folder() / "results"


def newest_first(folder: Path) -> list[File]:
    """All files of a folder, but those that another process removes meanwhile."""
    found = []
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            stat = path.stat()
            found.append(File(stat.st_mtime, stat.st_size, path))
    return sorted(found, reverse=True)


def question(command: str, models: Sequence["FoundModel"], data: str, options: Mapping[str, Option]) -> str:
    """Name of an entry: the same for the same weights, configurations, images, options and versions.

    Images are not read for it, since that would take as long as the answer may: a name stands for them that no other
    images have, as `zoo.data.sources.identity` makes it. A result says in its fingerprint which they were.

    Args:
        command: what is asked.
        models: about which.
        data: what decides the images: `zoo.data.sources.identity`, or their fingerprint where they are at hand.
        options: everything else that decides the answer.
    """
    weights = [(model.sha256, file_sha256(model.folder / CONFIG)) for model in models]
    versions = {name: version(name) for name in PACKAGES}
    asked = [LAYOUT, command, weights, data, options, versions, _code()]
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


@cache
def _code() -> list[tuple[str, str]]:
    """What tells one state of the program from another of the same version, as in a checkout that moves on.

    It is the same on every machine that has the same files, so that several can share what is kept.
    """
    import cards
    import cli
    import compare
    import zoo

    folders = [Path(package.__path__[0]) for package in (cards, cli, compare, zoo)]
    paths = [(path, folder.parent) for folder in folders for path in sorted(folder.rglob("*.py"))]
    return [(path.relative_to(root).as_posix(), file_sha256(path)) for path, root in paths]


def recall(kind: type[Result], name: str, title: str, compute: Callable[[], Kept[Result]], fresh: bool) -> Kept[Result]:
    """The answer to a question: the one that is kept, or else computed and kept.

    Args:
        kind: of the result.
        name: as `question` gives it.
        title: for people, in a list.
        compute: answers the question.
        fresh: whether to compute it in any case.
    """
    path = folder() / f"{name}.json"
    kept = None if fresh else _read(kind, path)
    if kept is not None:
        detail(f"the answer was kept in {path}.")
        return kept
    computed = compute()
    text = computed.result.to_json()
    _write(path, _Entry(title, hashlib.sha256(text.encode()).hexdigest(), text, dict(computed.images)))
    # Rounded as it will be read, so that both look alike to the last pixel.
    return Kept(kind.from_json(text), computed.images)


def _read(kind: type[Result], path: Path) -> Kept[Result] | None:
    from compare.errors import CompareError

    try:
        entry = _entry(path)
        return None if entry is None else Kept(kind.from_json(entry.result), entry.images)
    except (msgspec.MsgspecError, CompareError, ValueError):
        say(f"the kept answer {path} is damaged, and is computed anew.")
        return None


def _entry(path: Path) -> _Entry | None:
    """None if there is none; ValueError if it is damaged."""
    try:
        entry = msgspec.json.decode(path.read_bytes(), type=_Entry)
    except OSError:
        return None
    if hashlib.sha256(entry.result.encode()).hexdigest() != entry.sha256:
        raise ValueError("another hash")
    return entry


def _write(path: Path, entry: _Entry) -> None:
    """Keep an answer; one that cannot be kept is no failure, since it is at hand."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(entry))
    except OSError as error:
        say(f"the answer cannot be kept in {path.parent} ({error.strerror}); choose another folder with ZOO_CACHE.")


def title(path: Path) -> str:
    """What an answer is to."""
    try:
        entry = _entry(path)
    except (msgspec.MsgspecError, ValueError):
        return "(damaged)"
    return entry.title if entry else "(gone)"
