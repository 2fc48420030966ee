"""Verdicts name a difference only if it is significant."""

from dataclasses import replace

import numpy as np
import pytest

from cards.words.facts import dots_fact
from cards.words.verdict import inspection_verdict, structure, verdict
from compare.result.base import Estimate
from compare.result.comparison import Baseline, BaselineSide
from compare.result.inside import AtThreshold, BlockScore
from compare.result.spans import BlockSpan
from tests.support.samples import comparison, dominated, inspection


@pytest.mark.parametrize(
    ("p_value", "better"),
    [
        (0.04, "shallow is 1.0 points better (95 % interval -2.0 to 4.0)"),
        (0.06, "shallow may be 4.0 points better or 2.0 worse (95 % interval)"),
    ],
)
def test_a_model_is_better_only_if_its_accuracy_differs_significantly(p_value, better):
    result = comparison()
    disagreement = replace(result.disagreement, p_value=p_value, difference=Estimate(0.01, -0.02, 0.04))
    assert f"% right: {better}." in verdict(replace(result, disagreement=disagreement))


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        (0.28, 0.36, "and layers of an untrained copy of deep with 0.46: training explains 0.32 (0.28 to 0.36)."),
        (
            -0.01,
            0.65,
            "but an untrained copy of deep is as similar within the error (0.46; difference 0.32, -0.01 to 0.65)",
        ),
        (-0.4, -0.1, "but an untrained copy of deep is more similar (0.46; "),
        (
            -0.001,
            0.004,
            "but an untrained copy of deep is as similar within the error (0.46; difference 0.32, 0.00 to 0.00)",
        ),
        (None, None, "and layers of an untrained copy of deep with 0.46. "),
    ],
)
def test_similarity_is_due_to_training_if_it_is_above_an_untrained_copy(low, high, sentence):
    baseline = Baseline((0,), BaselineSide(0.78, 0.46, 0.32, low, high), None)
    text = verdict(replace(comparison(), baseline=baseline))
    assert "Layers of shallow match layers of deep with a CKA of 0.78 on average, " + sentence in text
    assert "Layers of deep match layers of shallow with a CKA of 0.74 on average." in text
    assert "With the most similar layer" not in text


def test_models_without_comparable_layers_have_a_verdict_beside_a_baseline():
    result = comparison()
    unknown = tuple((None,) * len(row) for row in result.cka.ab)
    result = replace(result, cka=replace(result.cka, ab=unknown), baseline=Baseline((0,), None, None))
    assert "No layer of shallow can be compared with a layer of deep. " in verdict(result)


def test_the_verdict_begins_with_the_predictions():
    text = verdict(comparison())
    assert text.startswith(
        "Same predictions on 80.0% of 80 images. shallow (a) has 85.0%, deep (b) 70.0% right: shallow is 15.0 "
    )
    assert text.index("right") < text.index("CKA") < text.index("block structure")


def test_a_larger_model_that_may_not_be_better_is_named():
    result = comparison()
    models = replace(result.models, a=replace(result.models.a, parameters=7 * result.models.b.parameters))
    undecided = replace(result.disagreement, p_value=0.5, difference=Estimate(0.0, -0.02, 0.02))
    larger = "These images give no reason to prefer shallow, which has 7.0 times the parameters."
    assert larger in verdict(replace(result, models=models, disagreement=undecided))
    assert "no reason" not in verdict(replace(result, models=models))


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
        "In 25% of the cells, linear CKA of shallow with deep rests on 4 of 80 images: leaving them out changes it by "
        f"more than 0.1, on average from {before:.2f} to {before + 0.2:.2f}."
    ) in verdict(dominated())
    assert "In 1 of 640 cells, linear CKA of shallow with deep rests" in verdict(changed_in({(0, 0)}))
    assert "rests on" not in verdict(changed_in(set()))
    assert "rests on" not in verdict(comparison())


LAYERS = ("stem", *(f"stage1.{block}.{part}" for block in range(6) for part in ("conv", "relu")))
SPAN = BlockSpan(*(5, 11, "stage1.2.conv", "stage1.4.relu", 0.9, 0.5, None, "block structure", 3), layers="blocks")
EXTENT = "3 of its 6 residual blocks (stage1.2.conv to stage1.4.relu)"


def score(*curve):
    return BlockScore(0.25, None, None, tuple(AtThreshold(*at) for at in curve))


def test_block_structure_is_described_by_its_score_and_then_the_number_of_blocks():
    assert structure("b", (SPAN,), LAYERS, score((0.8, 0.31, 2), (0.85, 0.25, 1), (0.95, 0.1, 0))) == (
        "b has a block structure score of 0.25 (0.10 to 0.31 for thresholds 0.80 to 0.95) and 1 (0 to 2) blocks, "
        f"covering {EXTENT}."
    )
    stable = structure("b", (SPAN,), LAYERS, score((0.8, 0.31, 1), (0.95, 0.1, 1)))
    assert f" and 1 block (at every threshold), covering {EXTENT}." in stable


def test_block_structure_at_other_thresholds_is_not_hidden():
    other = replace(score((0.8, 0.3, 1), (0.85, 0.0, 0)), score=0.0)
    assert structure("a", (), LAYERS, other) == (
        "a has a block structure score of 0.00 (0.00 to 0.30 for thresholds 0.80 to 0.85) and 0 (0 to 1) blocks."
    )
    nothing = replace(score((0.8, 0.0, 0), (0.95, 0.0, 0)), score=0.0)
    assert structure("a", (), LAYERS, nothing) == structure("a", (), LAYERS) == "a has no block structure."


def test_block_structure_without_a_score_or_from_an_older_file():
    assert structure("It", (SPAN,), LAYERS) == f"It has block structure in {EXTENT}."
    everywhere = replace(SPAN, layers="all")
    assert structure("It", (everywhere,), LAYERS, score()) == (
        "It has a block structure score of 0.25 and 1 block, covering 46% of its layers "
        "(stage1.2.conv to stage1.4.relu)."
    )
    assert structure("It", (replace(SPAN, counts=False),), LAYERS) == "It has no block structure."


@pytest.mark.parametrize(("value", "scale"), [(0.25, "score is on a scale"), (0.0, "score is 0 on a scale")])
def test_an_inspection_gives_the_score_also_without_block_structure(value, scale):
    result, found = inspection(), replace(score((0.85, value, 0)), score=value)
    assert scale in inspection_verdict(replace(result, inside=replace(result.inside, score=found)))


def test_numbers_of_images_are_legible():
    large = replace(comparison(), dataset=replace(comparison().dataset, examples=50_000))
    assert "Same predictions on 80.0% of 50,000 images." in verdict(large)
    without = replace(dominated().cka.without_dominant, count=1)
    assert dots_fact(without).endswith(" without 1 image.")


def test_of_equal_weights_no_model_may_be_better():
    text = verdict(replace(comparison(), cautions=("a and b have the same weights.",)))
    assert text.startswith("a and b have the same weights. Same predictions on 80.0% of 80 images. ")
    assert "better" not in text and "significant" not in text
    assert "CKA" in text
