"""What single models gave, kept from one comparison to the next: of a with c after a with b, only c runs."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.cache.results import cache_key, newest_first
from cli.cache.trace_file import Writer, is_whole, read_about, read_minibatches
from cli.inputs.prepare import Prepared
from cli.terminal.options import SimilarityOptions
from cli.terminal.output import detail, say
from zoo.base.cache_folder import cache_folder

if TYPE_CHECKING:
    from compare.model.trace import Model, Replay, Tracer


# Four of the largest.
MOST_BYTES_IN_ALL = 2**32


def folder() -> Path:
    """Where traces are kept."""
    return cache_folder() / "recordings"


def logs() -> Path:
    """Where the processes that record tell what they do; what they told stays if they fail."""
    return (cache_folder() / "logs").absolute()


@dataclass(frozen=True)
class Traces:
    """The models of a comparison: those that are recorded, from there, and the others while they are recorded.

    Args:
        prepared: models and images.
        precision: of the Gram matrices.
        passes: over the images.
        fresh: whether all are to run, even if they are recorded.
    """

    prepared: Prepared
    precision: str = "fp32"
    passes: int = 1
    fresh: bool = False

    def layers(self, asked: str | None) -> str:
        """The layers asked for, or else those that can be looked at together.

        Models of which all layers are recorded, and few enough, are not loaded for that.
        """
        from compare.model.layer_grams import TRIAL, default_layers

        if asked:
            return asked
        images = self.prepared.data.images[:TRIAL]
        numbers = range(len(self.prepared.models))
        unknown = [number for number in numbers if not self._has_few_layers(number)]
        chosen = default_layers([self.prepared.module(number) for number in unknown], images)
        return chosen if chosen == "all" else default_layers(self.prepared.modules, images)

    def has(self, number: int, layers: str) -> bool:
        """Whether a model need not run."""
        return not self.fresh and self.path(number, layers).is_file()

    @contextmanager
    def open(self, layers: str | None, whole: bool = True) -> Iterator[Sequence["Model"]]:
        """The models, to run once.

        Args:
            layers: to look at; None for predictions alone.
            whole: whether they will run on all minibatches, and on no others; what they give is not kept otherwise.
        """
        if not whole:
            yield self.prepared.modules
            return
        with ExitStack() as stack:
            yield [stack.enter_context(self._open(number, layers)) for number in range(len(self.prepared.models))]
        _forget_oldest()

    def trace(self, number: int, layers: str | None, path: Path) -> None:
        """Run one model alone, as a comparison would, and keep what it gives.

        Args:
            number: of the model.
            layers: to look at; None for predictions alone.
            path: where it is kept.

        Raises:
            ZooError: it cannot be kept.
        """
        from cli.terminal.progress import progress_bar
        from compare.model.trace import trace

        with self._tracing(number, layers, path, needed=True) as tracer, progress_bar() as progress:
            batches = self.prepared.batches(progress, self.passes, "recording")
            trace(tracer, batches, passes=self.passes, grams=layers is not None)

    @contextmanager
    def _open(self, number: int, layers: str | None) -> Iterator["Replay | Tracer"]:
        path = self.path(number, layers)
        file = None if self.fresh else _open_whole(path)
        if file is not None:
            with file:
                detail(f"replaying what {self.prepared.models[number].ref} gave before, {path}.")
                yield self._replay(file)
            return
        with self._tracing(number, layers, path) as tracer:
            yield tracer

    @contextmanager
    def _tracing(self, number: int, layers: str | None, path: Path, needed: bool = False) -> Iterator["Tracer"]:
        """A model to run, of which what it gives is kept."""
        beside = path.with_name(f".{path.name}-{os.getpid()}-{number}")
        writer = Writer(path, beside, self._minibatches, needed)
        try:
            tracer = self._recorder(number, layers, writer)
            yield tracer
            if writer.finish(self._title(number, layers), tracer.facts):
                ref, size = self.prepared.models[number].ref, path.stat().st_size
                detail(f"recorded what {ref} gave, {size / 2**20:.1f} MiB in {path}.")
        finally:
            writer.close()

    def _replay(self, file: BufferedReader) -> "Replay":
        import torch

        from compare.model.trace import Facts, Replay

        about = read_about(file)
        facts = msgspec.json.decode(about.facts, type=Facts)
        return Replay(facts, read_minibatches(file, about, facts), torch.device(self.prepared.device))

    def _recorder(self, number: int, layers: str | None, writer: Writer) -> "Tracer":
        from compare.engine.plan import DTYPES
        from compare.model.trace import Tracer

        return Tracer(self.prepared.module(number), layers or "all", DTYPES[self.precision], writer.add)

    @property
    def _minibatches(self) -> int:
        return self.passes * -(-len(self.prepared.data) // self.prepared.batch_size)

    def _title(self, number: int, layers: str | None) -> str:
        data = self.prepared.data
        what = "predictions" if layers is None else f"layers {layers}"
        return f"{self.prepared.models[number].ref}, {what}, on {len(data)} {data.name} {data.split} images"

    def path(self, number: int, layers: str | None) -> Path:
        """Where what a model gave is kept: the same wherever weights, images, options and versions are."""
        prepared = self.prepared
        name = cache_key(
            "record",
            prepared.models[number : number + 1],
            prepared.data.fingerprint,
            SimilarityOptions(layers, self.passes, self.precision),
            prepared.batch_size,
            prepared.seed,
            prepared.device,
        )
        return folder() / f"{name}.trace"

    def _has_few_layers(self, number: int) -> bool:
        """Whether all its layers are recorded, and few enough to be looked at."""
        from compare.model.layer_grams import MANY_LAYERS
        from compare.model.trace import Facts

        try:
            with self.path(number, "all").open("rb") as file:
                facts = msgspec.json.decode(read_about(file).facts, type=Facts)
        except (OSError, msgspec.MsgspecError):
            return False
        return not self.fresh and len(facts.names) <= MANY_LAYERS


def _open_whole(path: Path) -> BufferedReader | None:
    """A trace, marked as the one that was used last; None if there is none that is whole."""
    try:
        file = path.open("rb")
    except OSError:
        return None
    if not is_whole(file):
        file.close()
        say(f"the trace {path} is damaged, and is made anew.")
        return None
    with suppress(OSError):
        os.utime(path)
    return file


def _forget_oldest() -> None:
    """Keep no more than `MOST_BYTES_IN_ALL`, with what was interrupted while it was written."""
    total = 0
    for file in newest_first(folder()):
        total += file.size
        if total > MOST_BYTES_IN_ALL:
            with suppress(OSError):
                file.path.unlink()


def title(path: Path) -> str:
    """What a trace is of."""
    try:
        with path.open("rb") as file:
            return read_about(file).title
    except (OSError, msgspec.MsgspecError):
        return "(damaged)"
