"""The picture of two groups of seeds."""

import numpy as np

from cards.pictures.groups import jittered


def test_points_stay_between_0_and_100_percent_and_near_their_value():
    accuracy = np.repeat([0.0, 0.5, 1.0], 500)
    points = jittered(accuracy, 2, np.random.default_rng(0))
    assert points.min() >= 0 and points.max() <= 100
    assert abs(points - 100 * accuracy).max() < 15
    assert len(set(points)) > 1400
