"""Verdicts about several models: layer counts alone set no model apart, and neither do gaps within the noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cards.words.matrix_verdict import find_groups, matrix_verdict
from compare.engine.many import compare_many
from compare.result.comparison import Baseline, BaselineSide
from tests.support.pages import several

WIDTH = 12


class Border(nn.Module):
    """The first layer of a stage, whose features have nothing in common with the stage before."""

    def __init__(self, stage, generator):
        super().__init__()
        shared = torch.randn(WIDTH, WIDTH, generator=torch.Generator().manual_seed(stage))
        self.weight = nn.Parameter(0.5 * shared + 0.02 * torch.randn(WIDTH, WIDTH, generator=generator))

    def forward(self, x):
        return torch.cos(x @ self.weight)


class Planted(nn.Module):
    """A network of three stages. All such networks have nearly the same features in each stage, rotated by layer."""

    def __init__(self, lengths, seed):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        for stage, length in enumerate(lengths, 1):
            rotations = [nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(length - 1)]
            for rotation in rotations:
                nn.init.orthogonal_(rotation.weight, generator=generator)
            setattr(self, f"stage{stage}", nn.ModuleList([Border(stage, generator), *rotations]))

    def forward(self, x):
        for border, *rotations in (self.stage1, self.stage2, self.stage3):
            x = border(x)
            for rotation in rotations:
                rotation(x)
        return x


def images(count=8, size=64):
    generator = torch.Generator().manual_seed(9)
    labels = torch.arange(size) % WIDTH
    return [(torch.randn(size, WIDTH, generator=generator), labels) for _ in range(count)]


def same_relative_depth(cells):
    """The mean that used to decide: every layer of the longer model with the layer at the same relative depth."""
    steps = np.linspace(0, 1, max(cells.shape))
    rows, columns = ((steps * (size - 1)).round().astype(int) for size in cells.shape)
    return cells[rows, columns].mean()


@pytest.mark.parametrize("third", [(4, 4, 4), (2, 2, 14)], ids=["equal layer counts", "a longer last stage"])
def test_a_model_with_other_layer_counts_does_not_stand_apart(third):
    result = compare_many([Planted((4, 4, 4), 0), Planted((4, 4, 4), 1), Planted(third, 2)], images())
    assert result.pair(0, 1).same_depth_cka > 0.9
    old = [same_relative_depth(np.array(pair.cka)) for pair in result.pairs]
    assert (old[0] - max(old[1:]) > 0.2) == (third != (4, 4, 4))
    # Without the caution that untrained networks are near chance.
    verdict = matrix_verdict(replace(result, cautions=()))
    assert "No model or group of models clearly stands apart" in verdict
    assert verdict.startswith("By CKA with the most similar layer, the most similar models are ")
    assert all(pair.best_match_cka > 0.9 and pair.stage_match_cka > 0.9 for pair in result.pairs)


def test_a_model_with_other_features_stands_apart():
    other = Planted((4, 4, 4), 3)
    for stage in (other.stage1, other.stage2, other.stage3):
        nn.init.normal_(stage[0].weight, generator=torch.Generator().manual_seed(5))
    result = compare_many([Planted((4, 4, 4), 0), Planted((4, 4, 4), 1), other], images())
    assert "3 (Planted) stands apart from 1 and 2" in matrix_verdict(result)


def three(values, errors=(0.1, 0.1, 0.1), ceilings=(None, None, None)):
    """A matrix of three models with these best matches of the pairs 1-2, 1-3, and 2-3."""
    result = several((9, 9, 9))
    pairs = tuple(
        replace(pair, best_match_cka=value, best_match_standard_error=error, ceiling=ceiling)
        for pair, value, error, ceiling in zip(result.pairs, values, errors, ceilings, strict=True)
    )
    return replace(result, pairs=pairs)


@pytest.mark.parametrize(("error", "members"), [(0.1, ((0, 1), (2,))), (0.2, None), (None, None)])
def test_models_stand_apart_by_more_than_two_standard_errors(error, members):
    # The gap is 0.4, with a standard error of 0.14 or 0.28.
    groups = find_groups(3, three((0.9, 0.5, 0.5), (error,) * 3).pairs)
    assert (groups and groups.members) == members


def test_gaps_that_are_not_shown_are_not_reported():
    assert find_groups(3, three((0.99, 0.985, 0.985), (0.0001,) * 3).pairs) is None


def test_without_standard_errors_nothing_is_said_to_stand_apart():
    verdict = matrix_verdict(three((0.9, 0.5, 0.5), (None,) * 3))
    assert "standard errors of 3 of 3 pairs are unknown, so the gaps between pairs cannot be judged." in verdict
    assert "± marks" not in verdict
    verdict = matrix_verdict(three((0.9, 0.5, 0.5), (0.01, None, 0.01)))
    assert "standard errors of 1 of 3 pairs are unknown, so the gaps between pairs cannot be judged." in verdict


def test_the_ceiling_stands_beside_the_named_pairs():
    verdict = matrix_verdict(three((0.9, 0.5, 0.4), ceilings=(None, 0.9, 0.93)))
    assert "1 (m0) and 2 (m1), 0.900 ± 0.100, and the least similar 2 (m1) and 3 (m2), 0.400 ± 0.100 (two" in verdict
    assert "(two seeds of one architecture: 0.93)." in verdict


def beside(*lows):
    """A matrix of three models whose pairs have baselines that begin here; None stands for no interval."""
    result, b = three((0.9, 0.5, 0.4)), BaselineSide(0.8, 0.6, 0.2, 0.15, 0.25)
    highs = [None if low is None else low + 0.2 for low in lows]
    baselines = [Baseline((0,), BaselineSide(0.8, 0.7, 0.1, *ends), b) for ends in zip(lows, highs, strict=True)]
    return replace(result, pairs=tuple(map(lambda p, x: replace(p, baseline=x), result.pairs, baselines)))


def test_only_what_is_above_untrained_copies_is_said_to_come_from_training():
    assert "In all pairs, training explains a part of this similarity: it is higher" in matrix_verdict(
        beside(0.01, 0.01, 0.01)
    )
    verdict = matrix_verdict(beside(0.05, -0.01, 0.0))
    assert "In 1 of 3 pairs, training explains a part of this similarity: it is higher than that with" in verdict
    assert "untrained copies by 0.10 or more. For 1 and 3; 2 and 3, an untrained copy of one model is at" in verdict
    verdict = matrix_verdict(beside(-0.01, -0.01, -0.01))
    assert "training explains" not in verdict
    assert "so this similarity does not show that they learned the same" in verdict


def test_without_an_interval_it_is_unknown_whether_training_explains_a_similarity():
    assert "For 2 and 3, it is unknown whether training explains" in matrix_verdict(beside(0.05, 0.05, None))
    result = beside(0.05, 0.05, 0.05)
    one = replace(result.pairs[0], baseline=replace(result.pairs[0].baseline, a=None))
    assert "For 1 and 2, it is unknown" in matrix_verdict(replace(result, pairs=(one, *result.pairs[1:])))


def test_of_many_pairs_some_are_named():
    result, side = several((9,) * 5), BaselineSide(0.8, 0.8, 0.0, -0.1, 0.1)
    pairs = tuple(replace(pair, baseline=Baseline((0,), side, side)) for pair in result.pairs)
    assert "For 1 and 2; 1 and 3; 1 and 4, and 7 more pairs, an" in matrix_verdict(replace(result, pairs=pairs))


def test_predictions_that_cannot_be_compared_are_not_said_to_be_the_same():
    result = three((0.9, 0.5, 0.4))
    assert "They predict the same class on" in matrix_verdict(result)
    rest = (replace(pair, agreement=None, agreement_low=None, agreement_high=None) for pair in result.pairs[1:])
    verdict = matrix_verdict(replace(result, pairs=(result.pairs[0], *rest)))
    assert "In 1 of 3 pairs, predictions can be compared: they are the same on 9" in verdict


def test_two_models_need_no_groups():
    result = several((9, 12))
    verdict = matrix_verdict(result)
    assert verdict.startswith("With the most similar layer of the other model, layers have a CKA of 0.")
    assert "apart" not in verdict
    assert (
        "Here, training explains a part of this similarity: it is higher than that with untrained copies by 0.10 or"
        in verdict
    )
