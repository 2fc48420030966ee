"""Classes of a model and of the data or another model: which logit belongs to which class."""

import pytest

from compare.answers.class_match import match_classes

ANIMALS = ("tench, Tinca tinca", "great white shark", "Golden Retriever", "crane", "crane")


@pytest.mark.parametrize(
    ("model_names", "count", "names", "places"),
    [
        (("a", "b", "c"), 3, ("c", "a", "b"), (2, 0, 1)),
        (("a", "b", "c"), 3, ("b",), (1,)),
        (("a", "b", "c"), 3, ("b", "x"), None),
        (("A", "a"), 2, ("a", "A"), (1, 0)),
        (ANIMALS, 5, ANIMALS, (0, 1, 2, 3, 4)),
        (ANIMALS, 5, ("golden_retriever", "great-white-shark", "Tench"), (2, 1, 0)),
        (ANIMALS, 5, ("Tinca tinca",), (0,)),
        (ANIMALS, 5, ("crane", "tench"), None),
        (ANIMALS, 5, ("tench", "tinca tinca"), None),
        (None, 3, ("cat", "dog", "frog"), (0, 1, 2)),
        (None, 11, tuple(sorted(map(str, range(11)))), (0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9)),
        (None, 3, ("007", "1", "9"), (1, 0, 2)),
        (None, 1000, tuple(map(str, range(10))), None),
        (None, 2, ("1", "01"), (0, 1)),
    ],
)
def test_each_class_has_one_logit(model_names, count, names, places):
    assert match_classes(model_names, count, names) == places
