from fractions import Fraction

import pytest

from zoo.base.number_lists import decimals, fractions, whole_numbers
from zoo.errors import ZooError


def test_whole_numbers_are_ranges_and_lists_without_duplicates():
    assert whole_numbers("14,38,74", "--depths") == (14, 38, 74)
    assert whole_numbers("0-3, 7,2-4,7", "--seeds") == (0, 1, 2, 3, 7, 4)
    assert whole_numbers("5-5", "--seeds") == (5,)


def test_widths_and_subsets_may_be_fractions():
    assert decimals("1,0.5,1e1", "--widths") == (1, 0.5, 10)
    assert fractions("1,1/4,0.25,2/8", "--subsets") == (1, Fraction(1, 4))


@pytest.mark.parametrize("text", ["", "1,", "a", "-1", "9-0", "1-2-3", "1.5", "٣", "0-9999999999999"])
def test_invalid_lists_of_whole_numbers_are_refused(text):
    with pytest.raises(ZooError, match="--seeds takes whole numbers and ranges from low to high, such as 0-4,7, got"):
        whole_numbers(text, "--seeds")


@pytest.mark.parametrize("text", ["", "0", "5/4", "1/0", "-1/2", "1,x"])
def test_invalid_fractions_are_refused(text):
    with pytest.raises(ZooError, match="subset must be a fraction above 0 and at most 1"):
        fractions(text, "--subsets")


def test_too_long_list_is_refused():
    with pytest.raises(ZooError, match="at most 10,000 of them, got 12,000"):
        whole_numbers("0-5999,6000-11999", "--seeds")
    with pytest.raises(ZooError, match="at most 10,000 of them, got 1,000,000,000"):
        whole_numbers("0-999999999", "--seeds")
