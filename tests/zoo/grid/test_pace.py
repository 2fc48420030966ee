"""Estimates of training time from a few steps."""

from fractions import Fraction

import pytest

from zoo.family.cifar import Variant
from zoo.grid.grid import Run
from zoo.grid.pace import AROUND, Pace, measure_pace
from zoo.record.recipe import Recipe


def test_time_is_that_of_layers_and_of_multiply_adds_in_every_step():
    run = Run(Variant(14, 2.0), "digits", Fraction(1, 2), 0, Recipe(epochs=10, batch_size=50))
    pace = Pace(layer=0.001, multiply_add=1e-9, images=1000, size=(8, 8))
    # 500 images are 10 steps.
    expected = 10 * 10 * (14 * 0.001 + 50 * run.variant.multiply_adds(8, 8) * 1e-9)
    assert pace.seconds(run) == pytest.approx(AROUND + expected)


def test_pace_of_this_machine_is_measured(digits, brief):
    pace = measure_pace(digits[0], brief, "cpu")
    assert (pace.images, pace.size) == (1437, (8, 8))
    assert pace.layer >= 0 and pace.multiply_add >= 0
    runs = [Run(Variant(depth, width), "digits", Fraction(1), 0, brief) for depth, width in ((14, 1), (14, 4), (74, 4))]
    assert sorted(map(pace.seconds, runs)) == list(map(pace.seconds, runs))
    assert pace.seconds(runs[2]) > AROUND
