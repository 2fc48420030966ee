"""The cache of traces: comparing a with c after a with b runs only c."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.cache.results import cache_key, newest_first
from cli.cache.trace_file import MOST_BYTES, Writer, is_whole, read_header, read_minibatches
from cli.inputs.prepare import Prepared
from cli.terminal.analysis_options import Pool, SimilarityOptions
from cli.terminal.output import detail, phase, say
from zoo.base.cache_folder import cache_folder
from zoo.base.foreign import JSON_ERRORS

if TYPE_CHECKING:
    from compare.model.trace import Model, Replay, Tracer


# Four traces of the maximum size.
MOST_BYTES_IN_ALL = 2**32


def folder() -> Path:
    """The folder of cached traces."""
    return cache_folder() / "recordings"


def logs() -> Path:
    """The folder of logs of `zoo record`. Only logs of failed runs are kept."""
    return (cache_folder() / "logs").absolute()


@dataclass(frozen=True)
class Traces:
    """The models of a comparison, replayed from cached traces or traced while they run.

    Args:
        prepared: models and images.
        precision: precision of Gram matrices.
        passes: passes over the images.
        fresh: whether to ignore cached traces.
        pool: how features are pooled over positions.
    """

    prepared: Prepared
    precision: str = "fp32"
    passes: int = 1
    fresh: bool = False
    pool: Pool = "none"

    def layers(self, chosen: str | None) -> str:
        """The layers to compare: those chosen, or else all, or the outputs of blocks if a model has too many layers.

        Models are not loaded if a cached trace shows that they have few enough layers.

        Args:
            chosen: layers chosen by the user; None for the default.
        """
        from compare.model.layer_grams import TRIAL, default_layers

        if chosen:
            return chosen
        images = self.prepared.inputs.images[:TRIAL]
        numbers = range(len(self.prepared.models))
        untraced = [number for number in numbers if not self._has_few_layers(number)]
        default = default_layers([self.prepared.module(number) for number in untraced], images)
        return default if default == "all" else default_layers(self.prepared.modules, images)

    def has(self, number: int, layers: str) -> bool:
        """Whether there is a cached trace of a model."""
        return not self.fresh and self.path(number, layers).is_file()

    def emptied(self, layers: str) -> "Traces":
        """These traces; if cached ones are to be ignored, without those, unless they cannot be deleted."""
        if not self.fresh:
            return self
        try:
            for number in range(len(self.prepared.models)):
                self.path(number, layers).unlink(missing_ok=True)
        except OSError:
            return self
        return replace(self, fresh=False)

    def missing(self, layers: str) -> list[int]:
        """Numbers of the models that have no cached trace."""
        return [number for number in range(len(self.prepared.models)) if not self.has(number, layers)]

    @property
    def fit_in_the_cache(self) -> bool:
        """Whether the trace of each model is small enough to be cached."""
        examples = min(self.prepared.batch_size, len(self.prepared.data))
        cells = self._minibatches * examples * (examples + 1) // 2
        return all(4 * cells * footprint.layers <= MOST_BYTES for footprint in self.prepared.footprints)

    def load(self, layers: str) -> None:
        """Load the models that have no cached trace."""
        for number in self.missing(layers):
            self.prepared.module(number)

    def remove_incomplete(self) -> None:
        """Remove the incomplete traces of this process."""
        for path in folder().glob(f".*-{os.getpid()}-*"):
            path.unlink(missing_ok=True)

    @contextmanager
    def open(self, layers: str | None, whole: bool = True) -> Iterator[Sequence["Model"]]:
        """The models, to run once.

        Args:
            layers: layers to compare; None for predictions only.
            whole: whether the models will run on every minibatch. Otherwise no traces are used.
        """
        if not whole:
            yield self.prepared.modules
            return
        with ExitStack() as stack:
            yield [stack.enter_context(self._open(number, layers)) for number in range(len(self.prepared.models))]
        _delete_oldest()

    def cache(self, number: int, layers: str, description: str) -> None:
        """Run one model alone, so that no other is in memory, and cache its trace unless that is too large.

        Args:
            number: index of the model.
            layers: layers to trace.
            description: text beside the progress bar.
        """
        from cli.terminal.progress import progress_bar
        from compare.model.trace import Tracer, trace

        alone = replace(self, prepared=self.prepared.only(number))
        with phase(description), alone.open(layers) as (model,), progress_bar() as progress:
            if isinstance(model, Tracer):
                trace(model, alone.prepared.batches(progress, self.passes, description), passes=self.passes)

    def trace(self, number: int, layers: str | None, path: Path) -> None:
        """Run one model and write its trace.

        Args:
            number: index of the model.
            layers: layers to trace; None for predictions only.
            path: the trace file.

        Raises:
            ZooError: the trace cannot be written.
        """
        from cli.terminal.progress import progress_bar
        from compare.model.trace import trace

        with self._tracing(number, layers, path, required=True) as tracer, progress_bar() as progress:
            batches = self.prepared.batches(progress, self.passes, "tracing")
            trace(tracer, batches, passes=self.passes, grams=layers is not None)

    @contextmanager
    def _open(self, number: int, layers: str | None) -> Iterator["Replay | Tracer"]:
        path = self.path(number, layers)
        file = None if self.fresh else _open_whole(path)
        if file is not None:
            with file:
                detail(f"replaying the trace of {self.prepared.models[number].ref}, {path}.")
                yield self._replay(file)
            return
        with self._tracing(number, layers, path) as tracer:
            yield tracer

    @contextmanager
    def _tracing(self, number: int, layers: str | None, path: Path, required: bool = False) -> Iterator["Tracer"]:
        """A model to run, whose trace is written."""
        temporary = path.with_name(f".{path.name}-{os.getpid()}-{number}")
        writer = Writer(path, temporary, self._minibatches, required)
        try:
            tracer = self._tracer(number, layers, writer)
            yield tracer
            if writer.finish(self._title(number, layers), tracer.facts):
                ref, size = self.prepared.models[number].ref, path.stat().st_size
                detail(f"wrote the trace of {ref} to {path}, {size / 2**20:.1f} MiB.")
        finally:
            writer.close()

    def _replay(self, file: BufferedReader) -> "Replay":
        import torch

        from compare.model.trace import Facts, Replay

        header = read_header(file)
        facts = msgspec.json.decode(header.facts, type=Facts)
        return Replay(facts, read_minibatches(file, header, facts), torch.device(self.prepared.device))

    def _tracer(self, number: int, layers: str | None, writer: Writer) -> "Tracer":
        from compare.engine.plan import DTYPES
        from compare.model.trace import Tracer

        return Tracer(self.prepared.module(number), layers or "all", DTYPES[self.precision], writer.add, self.pool)

    @property
    def _minibatches(self) -> int:
        return self.passes * -(-len(self.prepared.data) // self.prepared.batch_size)

    def _title(self, number: int, layers: str | None) -> str:
        data = self.prepared.data
        content = "predictions" if layers is None else f"layers {layers}"
        return f"{self.prepared.models[number].ref}, {content}, on {len(data)} {data.name} {data.split} images"

    def path(self, number: int, layers: str | None) -> Path:
        """The trace file of a model, named after a hash of weights, images, options, and versions."""
        prepared = self.prepared
        name = cache_key(
            "record",
            prepared.models[number : number + 1],
            prepared.data.fingerprint,
            SimilarityOptions(layers, self.passes, self.precision, self.pool),
            prepared.batch_size,
            prepared.seed,
            prepared.device,
        )
        return folder() / f"{name}.trace"

    def _has_few_layers(self, number: int) -> bool:
        """Whether a cached trace shows that a model has few enough layers to compare all."""
        from compare.model.layer_grams import MANY_LAYERS
        from compare.model.trace import Facts

        try:
            with self.path(number, "all").open("rb") as file:
                facts = msgspec.json.decode(read_header(file).facts, type=Facts)
        except (OSError, *JSON_ERRORS):
            return False
        return not self.fresh and len(facts.names) <= MANY_LAYERS


def _open_whole(path: Path) -> BufferedReader | None:
    """Open a trace and mark it as used; None if it is missing or damaged."""
    try:
        file = path.open("rb")
    except OSError:
        return None
    if not is_whole(file):
        file.close()
        say(f"the trace {path} is damaged; running the model again.")
        return None
    with suppress(OSError):
        os.utime(path)
    return file


def _delete_oldest() -> None:
    """Delete the oldest traces above `MOST_BYTES_IN_ALL`, including incomplete ones."""
    total = 0
    for file in newest_first(folder()):
        total += file.size
        if total > MOST_BYTES_IN_ALL:
            with suppress(OSError):
                file.path.unlink()


def title(path: Path) -> str:
    """The title of a trace."""
    try:
        with path.open("rb") as file:
            return read_header(file).title
    except (OSError, *JSON_ERRORS):
        return "(damaged)"
