"""The tiles at the top of a comparison: every number, and the reason where one is missing."""

from dataclasses import replace

from cards.page.tiles import comparison_tiles
from cards.pages.comparison import comparison_html
from compare.result.comparison import Baseline, BaselineSide
from compare.result.inside import InsidePair
from tests.support.page_reader import Reader
from tests.support.samples import comparison, inspection


def test_tiles_show_agreement_accuracies_similarity_beside_untrained_copies_and_block_structure():
    sides = BaselineSide(0.78, 0.46, 0.32, 0.28, 0.36), BaselineSide(0.9, 0.8, 0.1, None, None)
    inside = InsidePair(inspection(block=False).inside, inspection().inside, ())
    tiles = comparison_tiles(replace(comparison(), baseline=Baseline((0,), *sides), inside=inside))
    assert [tile.title for tile in tiles] == ["Same predictions", "Accuracy", "Similarity inside", "Block structure"]
    assert [tuple(number) for tile in tiles for number in tile.numbers] == [
        ("80.0%", "of 80 images (70.0% to 87.0%)"),
        ("85.0%", "a, shallow (75.6% to 91.2%)"),
        ("70.0%", "b, deep (59.2% to 78.9%)"),
        ("0.78", "a in b, 0.46 in an untrained copy of b: +0.32 (+0.28 to +0.36)"),
        ("0.90", "b in a, 0.80 in an untrained copy of a: +0.10"),
        ("none", "in a"),
        ("44%", "of b: 14 of its 32 layers; score 0.39 (0.33 to 0.41 for thresholds 0.80 to 0.95)"),
    ]
    assert tiles[0].caption == "53 right in both, 15 only in a, 3 only in b, 9 in neither."
    assert tiles[1].caption == "a - b: +15.0 points (+5.0 to +25.0), p = 0.0075"


def test_without_labels_or_with_other_classes_tiles_stay_and_say_why():
    result = comparison()
    models = type(result.models)(*(replace(model, accuracy=None) for model in (result.models.a, result.models.b)))
    disagreement = replace(result.disagreement, accuracy_a=None, accuracy_b=None, p_value=None, classes=())
    unlabelled = replace(result, models=models, disagreement=disagreement)
    same, accuracy, *_ = comparison_tiles(unlabelled)
    assert same.numbers[0].value == "80.0%"
    assert [number.value for number in accuracy.numbers] == [None, None]
    assert "b, deep: the images have no labels." in accuracy.numbers[1].text
    assert accuracy.caption == ""
    same, accuracy, *_ = comparison_tiles(replace(result, disagreement=None))
    assert tuple(same.numbers[0]) == (None, "a model has no classifier, or the models predict different classes.")
    assert tuple(accuracy.numbers[0]) == ("85.0%", "a, shallow")
    assert Reader(comparison_html(unlabelled, {})).text.count("not known") == 4


def test_without_a_baseline_the_similarity_stays_and_without_any_value_it_is_not_known():
    result = comparison()
    _, _, similarity, _ = comparison_tiles(result)
    assert similarity.numbers[0].text == "a in b; in an untrained copy of b: not known, not measured."
    assert float(similarity.numbers[0].value) > 0.5
    noted = replace(result, notes=("b: there is no untrained copy; its architecture is unknown.",))
    assert comparison_tiles(noted)[2].numbers[0].text.endswith("not known, see the notes.")
    nothing = replace(result.cka, ab=((None,) * 32,) * 20)
    _, _, similarity, _ = comparison_tiles(replace(result, cka=nothing))
    assert tuple(similarity.numbers[1]) == (None, "no layer of b can be compared with a layer of a.")
