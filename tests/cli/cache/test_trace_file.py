"""Trace files give back what was written, without copies in memory."""

import tracemalloc

import pytest
import torch

from cli.cache.trace_file import Writer, is_whole, read_header, read_minibatches
from compare.model.trace import Facts, Minibatch


def written(path, facts, minibatches):
    writer = Writer(path, path.with_suffix(".tmp"), len(minibatches), required=True)
    for minibatch in minibatches:
        writer.add(minibatch)
    assert writer.finish("a trace", facts)


@pytest.mark.parametrize("classes", [10, 0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_minibatches_are_read_as_they_were_written(tmp_path, classes, dtype):
    # The second minibatch has too few examples for Gram matrices.
    minibatches = [
        Minibatch(torch.randn(2, 15, dtype=dtype), torch.randn(5, classes)),
        Minibatch(None, torch.randn(3, classes)),
        Minibatch(torch.randn(2, 10, dtype=dtype), torch.randn(4, classes)),
    ]
    facts = Facts("Net", 1, classes, ("conv", "fc"), ())
    written(tmp_path / "trace", facts, minibatches)
    with (tmp_path / "trace").open("rb") as file:
        assert is_whole(file)
        found = list(read_minibatches(file, read_header(file), facts))
    for one, other in zip(found, minibatches, strict=True):
        assert torch.equal(one.logits, other.logits)
        assert one.grams is other.grams or torch.equal(one.grams, other.grams)


def test_reading_takes_no_memory_of_its_own(tmp_path):
    facts = Facts("Net", 1, 10, ("conv",), ())
    written(tmp_path / "trace", facts, [Minibatch(torch.randn(1, 1999 * 1000), torch.randn(1999, 10))])
    with (tmp_path / "trace").open("rb") as file:
        header = read_header(file)
        tracemalloc.start()
        (minibatch,) = read_minibatches(file, header, facts)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert minibatch.grams.nbytes == 1999 * 1000 * 4
    assert most < 100_000
