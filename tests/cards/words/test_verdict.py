"""Verdicts name a difference only if it is significant."""

from dataclasses import replace

import pytest

from cards.words.verdict import verdict
from tests.support.samples import comparison


@pytest.mark.parametrize(("p_value", "better"), [(0.04, "a"), (0.06, "neither")])
def test_a_model_is_better_if_its_accuracy_differs_significantly(p_value, better):
    result = comparison()
    assert f"; {better} is " in verdict(replace(result, disagreement=replace(result.disagreement, p_value=p_value)))
