"""Facts about comparisons."""

from dataclasses import replace

import pytest

from cards.words.facts import calibration_fact, estimator_fact
from compare.result.disagreement import Calibration
from tests.support.samples import comparison


def test_the_calibration_error_stands_beside_that_of_calibrated_models():
    a = Calibration(0.0087, 0.98, (), 0.007, 0.0107)
    b = Calibration(0.0087, 0.98, (), 0.0112, 0.0159)
    assert calibration_fact(a, b) == (
        "a 0.009, b 0.009; perfectly calibrated models with the same confidences: a 0.007 (95 % below 0.011), b 0.011 "
        "(95 % below 0.016)"
    )


def test_files_of_earlier_versions_have_the_error_alone():
    old = Calibration(0.0087, 0.98, ())
    assert calibration_fact(old, replace(old, error=0.02)) == "a 0.009, b 0.020"


@pytest.mark.parametrize(
    ("pool", "words"), [("none", ""), ("mean", ", of the means of features"), ("cls", "class token")]
)
def test_how_features_are_pooled_stands_with_the_estimator(pool, words):
    plain = comparison()
    fact = estimator_fact(replace(plain, settings=plain.settings | {"pool": pool}))
    assert words in fact
    assert (fact == estimator_fact(plain)) == (pool == "none")
