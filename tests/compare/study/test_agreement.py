"""CKA between networks in block structure and outside of it, where it is planted."""

import numpy as np
import pytest

from compare.result.study import Contrast
from compare.study.agreement import Layers, agreement, mean_contrast
from tests.support.samples import matrix


def layers(*inside, names="abcd"):
    """Layers of one stage, some of them in block structure."""
    return Layers([f"stage1.{name}" for name in names], np.isin(np.arange(len(names)), inside))


def test_layers_of_either_block_count_as_inside():
    cka = matrix(np.diag([0.9, 0.2, 0.4, 0.7]))
    contrast = agreement(cka, layers(1), layers(2), "same layer")
    assert contrast.inside == pytest.approx(0.3)
    assert contrast.outside == pytest.approx(0.8)


def test_layers_of_unequal_networks_meet_their_best_match_in_the_same_stage():
    a = Layers(["stem", "stage1.0", "stage1.1"], np.array([False, False, False]))
    b = Layers(["stem", "stage1.0", "stage1.1", "stage1.2", "head"], np.array([False, False, False, True, True]))
    # 0.99 is the similarity of unlike stages, and b's head has no counterpart.
    cka = matrix([[0.8, 0.1, 0.1, 0.1, 0.1], [0.99, 0.6, 0.5, 0.4, 0.1], [0.1, 0.2, 0.3, 0.7, 0.99]])
    contrast = agreement(cka, a, b, "stage")
    # a's layers match 0.8, 0.6, 0.7; b's match 0.8, 0.6, 0.5, 0.7. In block structure is b's stage1.2.
    assert contrast.inside == pytest.approx(0.7)
    assert contrast.outside == pytest.approx(np.mean([0.8, 0.6, 0.8, 0.6, 0.5]))


def test_layers_without_a_value_are_left_out():
    cka = matrix([[0.9, np.nan], [np.nan, np.nan]])
    for match in ("same layer", "stage"):
        assert agreement(cka, layers(names="ab"), layers(names="ab"), match) == Contrast(None, 0.9)


def test_pairs_that_differ_in_all_layers_are_no_difference_inside_of_blocks():
    assert mean_contrast([Contrast(0.5, 0.5), Contrast(None, 0.9), Contrast(0.3, 0.5)]) == Contrast(0.4, 0.5)


def test_without_block_structure_there_is_nothing_inside():
    assert mean_contrast([Contrast(None, 1.0), Contrast(None, 0.5)]) == Contrast(None, 0.75)
    assert mean_contrast([]) == Contrast(None, None)
