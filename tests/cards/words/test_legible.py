import pytest

from cards.words.legible import chance, listed, probability, short_names


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "p < 1e-06"),
        (9e-7, "p < 1e-06"),
        (1e-6, "p = 1e-06"),
        (0.0123, "p = 0.012"),
        (1.0, "p = 1"),
        (None, "p = -"),
    ],
)
def test_no_p_value_is_shown_as_zero(value, text):
    assert chance(value) == text
    assert probability(value) == text[2:].removeprefix("= ").replace("< ", "<")


def test_names_are_listed_as_in_english():
    assert listed("class", ["1"]) == "class 1"
    assert listed("class", ["1", "2"]) == "classes 1 and 2"
    assert listed("image", list("12345")) == "images 1, 2, 3 and 2 others"


@pytest.mark.parametrize(
    ("a", "b", "names"),
    [
        ("shallow", "deep", ("shallow", "deep")),
        ("resnet14-w1-digits-s0", "resnet74-w1-digits-s0", ("resnet14", "resnet74")),
        ("resnet14-w1-digits-s0", "resnet14-w4-digits-s0", ("resnet14-w1", "resnet14-w4")),
        ("resnet14-w1-digits-s0", "resnet14-w1-mnist5k-8-s0", ("resnet14-w1-digits", "resnet14-w1-mnist5k-8")),
        ("vit-b", "vit-b-pruned", ("vit-b", "vit-b-pruned")),
        # Too long, too short, no word, or the same name.
        ("resnet14-w1-digits-1of4-s0", "resnet74-w4-digits-1of4-s1", ("a", "b")),
        ("a", "b", ("a", "b")),
        ("b", "a", ("a", "b")),
        ("resnet-14", "resnet-50", ("resnet-14", "resnet-50")),
        ("deep", "deep", ("a", "b")),
    ],
)
def test_models_are_called_by_what_tells_them_apart(a, b, names):
    assert short_names(a, b) == names
