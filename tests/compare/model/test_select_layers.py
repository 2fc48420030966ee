from collections import OrderedDict

import pytest
from torch import nn

from compare.errors import CompareError
from compare.model.select_layers import select


def test_model_without_numbered_modules_has_no_blocks_and_says_so():
    with pytest.raises(CompareError, match="Linear has no numbered blocks; choose its layers"):
        select(nn.Linear(1, 1), "blocks")


@pytest.mark.parametrize("layers", ["", " , "])
def test_empty_choice_is_refused(layers):
    with pytest.raises(CompareError, match="got nothing"):
        select(nn.Linear(1, 1), layers)


def test_name_that_matches_nothing_is_refused_with_near_names():
    model = nn.Sequential(OrderedDict(first=nn.Linear(2, 2), second=nn.Linear(2, 2)))
    with pytest.raises(CompareError, match=r"no layer of Sequential matches 'frist'; near names are first"):
        select(model, "second, frist")
