"""Chance of sharing dominant examples, checked against SciPy."""

import pytest
from scipy.stats import hypergeom

from compare.structure.dominant import _chance_of


@pytest.mark.parametrize(
    ("common", "count", "examples"), [(0, 5, 100), (3, 5, 100), (2, 5, 8), (5, 5, 8), (40, 500, 9999)]
)
def test_the_chance_of_common_examples_is_hypergeometric(common, count, examples):
    expected = hypergeom.sf(common - 1, examples, count, count)
    assert _chance_of(common, count, examples) == pytest.approx(expected, rel=1e-9)
