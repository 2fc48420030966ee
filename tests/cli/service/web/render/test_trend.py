from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.service.store.history import MeasuredAccuracy
from cli.service.web.render.trend import BOTTOM, HEIGHT, LEFT, MOST_TICKS, TOP, WIDTH, place_points


def measured(accuracy, dataset="digits"):
    return MeasuredAccuracy("c" * 40, "s", accuracy, dataset, datetime(2026, 1, 1, tzinfo=UTC))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_points_stand_at_their_accuracy_in_order_inside_the_plot(accuracies):
    plot = place_points([measured(accuracy) for accuracy in accuracies])
    (low_y, low), *_, (high_y, high) = plot.ticks
    (line,) = plot.lines
    for point, accuracy in zip(line, accuracies, strict=True):
        share = (100 * accuracy - low) / (high - low)
        assert point.y == pytest.approx(low_y + share * (high_y - low_y), abs=0.1)
        assert LEFT < point.x < WIDTH
        assert TOP <= point.y <= HEIGHT - BOTTOM
    assert [point.x for point in line] == sorted(point.x for point in line)
    assert 2 <= len(plot.ticks) <= MOST_TICKS + 1


def test_each_dataset_has_its_own_line():
    rows = [measured(0.9), measured(0.5, "photos"), measured(0.8), measured(0.6, "photos")]
    plot = place_points(rows)
    assert [[point.measured for point in line] for line in plot.lines] == [rows[::2], rows[1::2]]


def test_a_trend_needs_two_accuracies_on_one_dataset():
    assert place_points([]) is None
    assert place_points([measured(0.9), measured(0.5, "photos")]) is None
