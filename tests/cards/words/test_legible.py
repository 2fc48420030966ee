import pytest

from cards.words.legible import chance, probability


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
