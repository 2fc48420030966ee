import pytest

from cards.words.legible import chance, listed, probability


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
