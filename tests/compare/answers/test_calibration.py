import numpy as np
import pytest

from compare.answers.calibration import calibration


def test_error_is_the_weighted_distance_of_accuracy_and_confidence():
    # Bins of width 1/15: three examples around 0.95, two around 0.55.
    confidence = np.array([0.94, 0.95, 0.96, 0.54, 0.56])
    right = np.array([True, True, False, False, False])
    found = calibration(confidence, right)
    assert found.error == pytest.approx((3 * abs(2 / 3 - 0.95) + 2 * abs(0 - 0.55)) / 5)
    assert found.confidence == pytest.approx(confidence.mean())
    low, high = found.bins
    assert (low.examples, low.accuracy, high.examples, high.accuracy) == (2, 0, 3, pytest.approx(2 / 3))
    assert low.low < 0.54 <= 0.56 <= low.high
    assert high.accuracy_low < 2 / 3 < high.accuracy_high


def test_a_calibrated_model_has_a_small_error_and_a_sure_wrong_one_the_largest():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.1, 1, 50_000)
    assert calibration(confidence, random.random(50_000) < confidence).error < 0.01
    assert calibration(np.ones(10), np.zeros(10, bool)).error == 1


def test_borders_belong_to_the_bin_below_and_zero_to_the_first():
    found = calibration(np.array([0.0, 1 / 15, 1.0]), np.array([False, True, True]))
    assert [(part.low, part.high, part.examples) for part in found.bins] == [
        (0, pytest.approx(1 / 15), 2),
        (pytest.approx(14 / 15), 1, 1),
    ]


def test_the_error_of_a_calibrated_model_is_that_of_simulations():
    random = np.random.default_rng(0)
    # Bins with few and with many examples: the latter are drawn from a normal distribution.
    confidence = np.concatenate([random.uniform(0.3, 0.9, 300), random.uniform(0.94, 1, 3000), [1.0, 0.0]])
    result = calibration(confidence, np.zeros(len(confidence), bool))
    errors = [calibration(confidence, random.random(len(confidence)) < confidence).error for _ in range(400)]
    assert result.calibrated_error == pytest.approx(np.mean(errors), abs=4 * np.std(errors) / 20)
    assert result.calibrated_95 == pytest.approx(np.quantile(errors, 0.95), rel=0.06)
    assert result == calibration(confidence, np.zeros(len(confidence), bool))


def test_a_calibrated_model_that_is_always_sure_makes_no_error():
    result = calibration(np.ones(5000), np.ones(5000, bool))
    assert (result.error, result.calibrated_error, result.calibrated_95) == (0, 0, 0)
