"""Results kept for the next time: the same question is answered at once, without loading any model."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import msgspec
import typer

from cli.output import say
from zoo.folder import CONFIG, file_sha256, replace_file, writing

if TYPE_CHECKING:
    from compare.result import JsonResult
    from zoo.found import FoundModel

Result = TypeVar("Result", bound="JsonResult")
# Height by width by channels, from 0 to 255.
Image = list[list[list[int]]]
Option = str | int | float | bool | None | Sequence[str]
# Of how an entry is written and of what its key is made from.
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


def folder() -> Path:
    """Where results are kept: `$ZOO_CACHE`, or the platform's cache folder."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("ZOO_CACHE")
    return (Path(chosen) if chosen else user_cache_path("resnet-zoo")) / "results"


def question(command: str, models: Sequence["FoundModel"], data: str, options: Mapping[str, Option]) -> str:
    """Name of an entry: the same for the same weights, configurations, images, options and versions.

    Args:
        command: what is asked.
        models: about which.
        data: what decides the images, as `zoo.sources.identity` gives it.
        options: everything else that decides the answer.
    """
    weights = [(model.sha256, file_sha256(model.folder / CONFIG)) for model in models]
    versions = {name: version(name) for name in PACKAGES}
    asked = [LAYOUT, command, weights, data, options, versions, _code()]
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def _code() -> list[tuple[str, int, int]]:
    """What tells one state of the program from another of the same version, as in a checkout that moves on."""
    import compare
    import zoo

    paths = sorted(path for package in (compare, zoo) for path in Path(package.__path__[0]).glob("*.py"))
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]


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


cache_app = typer.Typer(help="The answers that are kept.", no_args_is_help=True, rich_markup_mode=None)


@cache_app.command("list")
def list_cache() -> None:
    """List the answers that are kept, the newest first.

    For example: zoo cache list
    """
    from cli.output import plain, plain_table, show_lines

    table = plain_table("", ("answer", "kept since"), ("KiB",))
    rows = sorted(_files(), key=lambda path: -path.stat().st_mtime)
    for path in rows:
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        table.add_row(plain(_title(path)), f"{when:%Y-%m-%d %H:%M}", f"{path.stat().st_size / 1024:,.0f}")
    if rows:
        show_lines(table)
    else:
        say(f"no answers are kept in {folder()}.")


@cache_app.command("clear")
def clear_cache() -> None:
    """Throw all answers away.

    For example: zoo cache clear
    """
    paths = list(_files())
    for path in paths:
        with writing(path, "another folder with ZOO_CACHE"):
            path.unlink(missing_ok=True)
    say(f"{len(paths)} {'answer is' if len(paths) == 1 else 'answers are'} gone from {folder()}.")


def _files() -> Iterator[Path]:
    return folder().glob("[0-9a-f]*.json")


def _title(path: Path) -> str:
    try:
        entry = _entry(path)
    except (msgspec.MsgspecError, ValueError):
        return "(damaged)"
    return entry.title if entry else "(gone)"
