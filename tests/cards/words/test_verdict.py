"""Verdicts name a difference only if it is significant."""

from dataclasses import replace

import pytest

from cards.words.matrix_verdict import find_groups
from cards.words.verdict import verdict
from compare.result.matrix import PairResult
from tests.support.samples import comparison


@pytest.mark.parametrize(("p_value", "better"), [(0.04, "a"), (0.06, "neither")])
def test_a_model_is_better_if_its_accuracy_differs_significantly(p_value, better):
    result = comparison()
    assert f"; {better} is " in verdict(replace(result, disagreement=replace(result.disagreement, p_value=p_value)))


@pytest.mark.parametrize(("error", "members"), [(0.1, ((0, 1), (2,))), (0.2, None)])
def test_models_stand_apart_by_more_than_two_standard_errors(error, members):
    # The gap is 0.4, with a standard error of 0.14 or 0.28.
    pairs = [
        PairResult(a, b, cka, error, None, None, None, None, ())
        for a, b, cka in ((0, 1, 0.9), (0, 2, 0.5), (1, 2, 0.5))
    ]
    groups = find_groups(3, pairs)
    assert (groups and groups.members) == members
