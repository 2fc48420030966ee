"""Verdicts name a difference only if it is significant."""

from dataclasses import replace

import numpy as np
import pytest

from cards.words.verdict import verdict
from compare.result.base import Estimate
from compare.result.comparison import Baseline, BaselineSide
from tests.support.samples import comparison, dominated


@pytest.mark.parametrize(
    ("p_value", "better"),
    [
        (0.04, "a is significantly more accurate (p = 0.04)"),
        (0.06, "these do not show which is more accurate (a - b: +1.0 points (-2.0 to +4.0))"),
    ],
)
def test_a_model_is_better_only_if_its_accuracy_differs_significantly(p_value, better):
    result = comparison()
    disagreement = replace(result.disagreement, p_value=p_value, difference=Estimate(0.01, -0.02, 0.04))
    assert f"; {better}." in verdict(replace(result, disagreement=disagreement))


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        (0.28, 0.36, "and layers of an untrained copy of b with 0.46: training explains 0.32 (0.28 to 0.36)."),
        (
            -0.01,
            0.65,
            "but an untrained copy of b is as similar within the error (0.46; difference 0.32, -0.01 to 0.65)",
        ),
        (-0.4, -0.1, "but an untrained copy of b is more similar (0.46; "),
        (None, None, "and layers of an untrained copy of b with 0.46. "),
    ],
)
def test_similarity_is_due_to_training_if_it_is_above_an_untrained_copy(low, high, sentence):
    baseline = Baseline((0,), BaselineSide(0.78, 0.46, 0.32, low, high), None)
    text = verdict(replace(comparison(), baseline=baseline))
    assert text.startswith("Layers of a match layers of b with a CKA of 0.78 on average, " + sentence)
    assert "Layers of b match layers of a with a CKA of 0.74 on average." in text
    assert "With the most similar layer" not in text


def test_models_without_comparable_layers_have_a_verdict_beside_a_baseline():
    result = comparison()
    unknown = tuple((None,) * len(row) for row in result.cka.ab)
    result = replace(result, cka=replace(result.cka, ab=unknown), baseline=Baseline((0,), None, None))
    assert verdict(result).startswith("No layer of a can be compared with a layer of b. ")


def changed_in(places):
    """The comparison in which CKA without the dominant images is 0.2 higher in some cells, and equal in the others."""
    result = dominated()
    changed = tuple(tuple((row, column) in places for column in range(32)) for row in range(20))
    ab = tuple(
        tuple(cell + 0.2 * is_changed for cell, is_changed in zip(*row, strict=True))
        for row in zip(result.cka.ab, changed, strict=True)
    )
    without = replace(result.cka.without_dominant, ab=ab, changed=changed)
    return replace(result, cka=replace(result.cka, without_dominant=without))


def test_the_verdict_says_how_far_cka_rests_on_a_few_images():
    before = np.array(comparison().cka.ab)[10:, 16:].mean()
    assert (
        "In 25% of the cells, linear CKA of a with b rests on 4 of 80 images: leaving them out changes it by more than "
        f"0.1, on average from {before:.2f} to {before + 0.2:.2f}."
    ) in verdict(dominated())
    assert "In 1 of 640 cells, linear CKA of a with b rests" in verdict(changed_in({(0, 0)}))
    assert "rests on" not in verdict(changed_in(set()))
    assert "rests on" not in verdict(comparison())
