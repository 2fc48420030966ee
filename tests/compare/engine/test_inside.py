"""Uncertainty of a block's borders, from half samples given by hand."""

from types import SimpleNamespace

import numpy as np

from compare.engine.inside import Replicates, _borders
from compare.result.spans import BlockSpan


def block(start, stop):
    return BlockSpan(start, stop, None, None, 0.9, 0.5, None, "block structure")


def replicates(*spans):
    halves = SimpleNamespace(levels=(0.0, 1.0))
    return Replicates(tuple(((span,), np.full(80, 0.5)) for span in spans), halves)


def test_a_half_sample_has_the_same_block_if_most_layers_are_in_both():
    # Shared layers over all layers: 1, 15/20, 10/30, 5/55.
    halves = replicates(block(10, 30), block(15, 30), block(20, 40), block(25, 65))
    assert _borders(block(10, 30), halves) == (0.5, (10, 15, 30, 30))


def test_without_half_samples_there_are_no_borders():
    assert _borders(block(10, 30), replicates()) == (None, (None, None, None, None))
