"""A trace file holds the Gram matrices and logits of one model, written one minibatch at a time and read in place.

A file has four parts: the sha256 of the rest; Gram matrices and logits of each minibatch as raw arrays; a header
as JSON; and the length of the header in 8 bytes.
"""

import hashlib
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.terminal.output import say
from zoo.errors import ZooError

if TYPE_CHECKING:
    from torch import Tensor

    from compare.model.trace import Facts, Minibatch


# Enough for a ResNet-56 on 10,000 images.
MOST_BYTES = 2**30
_HASH, _LENGTH = hashlib.sha256().digest_size, 8


class Header(msgspec.Struct):
    """The header of a trace.

    Args:
        title: shown by `zoo cache list`.
        facts: JSON of `compare.model.trace.Facts`.
        minibatches: number of examples of each minibatch, and whether it has Gram matrices.
        grams: dtype of Gram matrices.
        logits: dtype of logits.
    """

    title: str
    facts: msgspec.Raw
    minibatches: list[tuple[int, bool]]
    grams: str
    logits: str


class Writer:
    """Writes a trace to a temporary file, which replaces the final one when it is complete.

    Args:
        path: the final file.
        temporary: the temporary file, in the same folder.
        minibatches: expected number of minibatches.
        required: whether to raise an error if the trace cannot be written.

    Raises:
        ZooError: a required trace cannot be written. The methods raise it too.
    """

    def __init__(self, path: Path, temporary: Path, minibatches: int, required: bool = False) -> None:
        self._path, self._temporary = path, temporary
        self._expected, self._required = minibatches, required
        self._header = Header("", msgspec.Raw(), [], "", "")
        self._hash = hashlib.sha256()
        self._file: BufferedWriter | None = None
        with self._give_up_on_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = temporary.open("wb")
            self._file.write(bytes(_HASH))

    def add(self, minibatch: "Minibatch") -> None:
        """Write one minibatch, unless the trace would be larger than `MOST_BYTES`."""
        grams, logits = minibatch
        size = (logits.nbytes + (0 if grams is None else grams.nbytes)) * self._expected
        if size > MOST_BYTES:
            self._give_up(size)
        if grams is not None:
            self._header.grams = self._write(grams)
        self._header.logits = self._write(logits)
        self._header.minibatches.append((len(logits), grams is not None))

    def finish(self, title: str, facts: "Facts") -> bool:
        """Complete the trace. Returns False if it was not written."""
        self._header.title, self._header.facts = title, msgspec.Raw(msgspec.json.encode(facts))
        text = msgspec.json.encode(self._header)
        self._put(text + len(text).to_bytes(_LENGTH))
        if self._file is None:
            return False
        with self._give_up_on_errors():
            self._file.seek(0)
            self._file.write(self._hash.digest())
            self._file.close()
            self._temporary.replace(self._path)
            return True
        return False

    def close(self) -> None:
        """Remove the temporary file of an incomplete trace."""
        if self._file is not None:
            # Closing flushes, which fails on a full disk.
            with suppress(OSError):
                self._file.close()
            self._file = None
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)

    def _give_up(self, size: int) -> None:
        if self._required:
            raise ZooError(
                f"expected a trace of at most {MOST_BYTES / 2**30:g} GiB, got {size / 2**30:.1f} GiB; choose fewer "
                "--layers (such as blocks) or images (--max-examples), or omit --jobs and --ray."
            )
        self.close()

    def _write(self, values: "Tensor") -> str:
        array = values.contiguous().numpy()
        # Encoders have no logits, and an empty array has no bytes to cast.
        self._put(array.data.cast("B") if array.size else b"")
        return array.dtype.name

    def _put(self, data: bytes | memoryview) -> None:
        if self._file is not None:
            with self._give_up_on_errors():
                self._file.write(data)
                self._hash.update(data)

    @contextmanager
    def _give_up_on_errors(self) -> Iterator[None]:
        """Turn a failed write into an error if the trace is required, and into a message otherwise."""
        try:
            yield
        except OSError as error:
            self.close()
            folder, reason = self._path.parent, error.strerror
            message = f"cannot write a trace to {folder} ({reason}); choose another folder with ZOO_CACHE."
            if self._required:
                raise ZooError(message) from error
            say(message)


def read_header(file: BufferedReader) -> Header:
    """Read the header of a trace.

    Raises:
        OSError, msgspec.MsgspecError: the file is damaged.
    """
    file.seek(-_LENGTH, os.SEEK_END)
    end = file.tell()
    length = int.from_bytes(file.read(_LENGTH))
    if length > end:
        raise OSError("damaged")
    file.seek(end - length)
    return msgspec.json.decode(file.read(end - file.tell()), type=Header)


def is_whole(file: BufferedReader) -> bool:
    """Whether a trace is undamaged."""
    file.seek(0)
    return file.read(_HASH) == hashlib.file_digest(file, "sha256").digest()


def read_minibatches(file: BufferedReader, header: Header, facts: "Facts") -> Iterator["Minibatch"]:
    """The minibatches of an undamaged trace, in the memory that the system maps to the file: nothing is copied."""
    from compare.model.trace import Minibatch

    # PyTorch expects memory that can be changed. Changes would not reach the file.
    memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    start = _HASH
    for examples, has_grams in header.minibatches:
        grams = None
        if has_grams:
            grams = _tensor(memory, start, header.grams, (len(facts.names), examples * (examples + 1) // 2))
            start += grams.nbytes
        logits = _tensor(memory, start, header.logits, (examples, facts.classes))
        start += logits.nbytes
        yield Minibatch(grams, logits)


def _tensor(memory: mmap.mmap, start: int, kind: str, shape: tuple[int, int]) -> "Tensor":
    import torch

    dtype: torch.dtype = getattr(torch, kind)
    # An empty buffer is an error.
    if not prod(shape):
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(memory, dtype=dtype, count=prod(shape), offset=start).view(shape)
