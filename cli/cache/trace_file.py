"""A trace as a file: what one model gave, written and read one minibatch at a time.

The file begins with the sha256 of the rest: Gram matrices and logits of each minibatch as they lie in memory, then what
they are as JSON, then the length of that in 8 bytes.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.terminal.output import say
from zoo.errors import ZooError

if TYPE_CHECKING:
    from torch import Tensor

    from compare.model.trace import Facts, Minibatch


# Of 10,000 images a ResNet-56 just stays below; what gives more is not worth a disk that others need too.
MOST_BYTES = 2**30
_HASH, _LENGTH = hashlib.sha256().digest_size, 8


class About(msgspec.Struct):
    """What a trace holds.

    Args:
        title: for people, in a list.
        facts: what is known of the model, as JSON.
        minibatches: how many examples are in each, and whether it has Gram matrices.
        grams: type of the numbers in these.
        logits: type of the others.
    """

    title: str
    facts: msgspec.Raw
    minibatches: list[tuple[int, bool]]
    grams: str
    logits: str


class Writer:
    """Writes a trace beside its place, which it takes when it is whole.

    Args:
        path: its place.
        beside: where it is written.
        minibatches: how many there will be.
        needed: whether it is a failure if it cannot be kept.

    Raises:
        ZooError: it is needed, and cannot be kept; so do the methods.
    """

    def __init__(self, path: Path, beside: Path, minibatches: int, needed: bool = False) -> None:
        self._path, self._beside = path, beside
        self._expected, self._needed = minibatches, needed
        self._about = About("", msgspec.Raw(), [], "", "")
        self._hash = hashlib.sha256()
        self._file: BufferedWriter | None = None
        with self._or_none():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = beside.open("wb")
            self._file.write(bytes(_HASH))

    def add(self, minibatch: "Minibatch") -> None:
        """Write what a model gave for one minibatch, unless all of them would take more than `MOST_BYTES`."""
        grams, logits = minibatch
        size = (logits.nbytes + (0 if grams is None else grams.nbytes)) * self._expected
        if size > MOST_BYTES:
            self._give_up(size)
        if grams is not None:
            self._about.grams = self._write(grams)
        self._about.logits = self._write(logits)
        self._about.minibatches.append((len(logits), grams is not None))

    def finish(self, title: str, facts: "Facts") -> bool:
        """Put the trace in its place; False if there is none."""
        self._about.title, self._about.facts = title, msgspec.Raw(msgspec.json.encode(facts))
        text = msgspec.json.encode(self._about)
        self._put(text + len(text).to_bytes(_LENGTH))
        if self._file is None:
            return False
        with self._or_none():
            self._file.seek(0)
            self._file.write(self._hash.digest())
            self._file.close()
            self._beside.replace(self._path)
            return True
        return False

    def close(self) -> None:
        """Leave nothing behind but what is in its place."""
        if self._file is not None:
            # A full disk refuses what is left to write once more.
            with suppress(OSError):
                self._file.close()
            self._file = None
            with suppress(OSError):
                self._beside.unlink(missing_ok=True)

    def _give_up(self, size: int) -> None:
        if self._needed:
            raise ZooError(
                f"expected a trace of at most {MOST_BYTES / 2**30:g} GiB, got {size / 2**30:.1f} GiB; take fewer "
                "--layers (such as blocks) or images (--max-examples), or leave out --jobs and --ray."
            )
        self.close()

    def _write(self, values: "Tensor") -> str:
        array = values.contiguous().numpy()
        self._put(array.data.cast("B"))
        return array.dtype.name

    def _put(self, data: bytes | memoryview) -> None:
        if self._file is not None:
            with self._or_none():
                self._file.write(data)
                self._hash.update(data)

    @contextmanager
    def _or_none(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.close()
            told = f"a trace cannot be kept in {self._path.parent} ({error.strerror}); choose another with ZOO_CACHE."
            if self._needed:
                raise ZooError(told) from error
            say(told)


def read_about(file: BufferedReader) -> About:
    """What a trace says that it holds.

    Raises:
        OSError, msgspec.MsgspecError: it is damaged.
    """
    file.seek(-_LENGTH, os.SEEK_END)
    end = file.tell()
    length = int.from_bytes(file.read(_LENGTH))
    if length > end:
        raise OSError("damaged")
    file.seek(end - length)
    return msgspec.json.decode(file.read(end - file.tell()), type=About)


def is_whole(file: BufferedReader) -> bool:
    """Whether a trace is as it was written."""
    file.seek(0)
    return file.read(_HASH) == hashlib.file_digest(file, "sha256").digest()


def read_minibatches(file: BufferedReader, about: About, facts: "Facts") -> Iterator["Minibatch"]:
    """What the model gave, read when it is asked for; of a trace that is whole."""
    from compare.model.trace import Minibatch

    file.seek(_HASH)
    for examples, has_grams in about.minibatches:
        cells = examples * (examples + 1) // 2
        grams = _read(file, about.grams, len(facts.names), cells) if has_grams else None
        yield Minibatch(grams, _read(file, about.logits, examples, facts.classes))


def _read(file: BufferedReader, kind: str, rows: int, columns: int) -> "Tensor":
    import torch

    dtype: torch.dtype = getattr(torch, kind)
    data = bytearray(rows * columns * dtype.itemsize)
    file.readinto(data)
    return torch.frombuffer(data, dtype=dtype).view(rows, columns)
