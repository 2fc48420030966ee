import pytest

from cards.words.legible import chance, probability


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "p < 1e-06"),
        (9e-7, "p < 1e-06"),
        (1e-6, "p = 1e-06"),
        (0.0123, "p = 0.012"),
        (1.0, "p = 1"),
        (None, "p = -"),
    ],
)
def test_no_p_value_is_told_as_zero(value, told):
    assert chance(value) == told
    assert probability(value) == told[2:].removeprefix("= ").replace("< ", "<")
