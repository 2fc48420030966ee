"""A training beside another busy process gets its share of the cores."""

import os

import pytest

from tests.benchmarks.share import THREADS, training_seconds

pytestmark = pytest.mark.slow


@pytest.mark.skipif((os.cpu_count() or 1) < THREADS, reason="needs two cores")
def test_a_training_beside_a_busy_process_takes_at_most_four_times_as_long(monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    # Other tests may run at the same time, so the second pair counts, too.
    ratios = (training_seconds(beside=True) / training_seconds(beside=False) for _ in range(2))
    assert any(ratio <= 4 for ratio in ratios)
