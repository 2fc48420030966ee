"""CKA between networks in block structure and outside of it, where it is planted."""

from types import SimpleNamespace

import numpy as np
import pytest

from compare.result.study import Contrast
from compare.study.agreement import agreement
from tests.support.samples import matrix


def found(*pairs):
    """As much of a matrix of models as counts."""
    return SimpleNamespace(pairs=tuple(SimpleNamespace(a=a, b=b, cka=matrix(cka)) for a, b, cka in pairs))


def mask(count, *inside):
    layers = np.zeros(count, dtype=bool)
    layers[list(inside)] = True
    return layers


def test_layers_of_either_block_count_as_inside():
    cka = np.diag([0.9, 0.2, 0.4, 0.7])
    contrast = agreement(found((0, 1, cka)), [mask(4, 1), mask(4, 2)])
    assert contrast.inside == pytest.approx(0.3)
    assert contrast.outside == pytest.approx(0.8)


def test_layers_of_unequal_networks_meet_at_the_same_relative_depth():
    cka = np.full((3, 5), 0.1)
    cka[0, 0], cka[1, 2], cka[2, 4] = 0.9, 0.6, 0.3
    # The longer one's layers between meet the nearest of the shorter one; ties go to the even one.
    contrast = agreement(found((0, 1, cka)), [mask(3), mask(5, 4)])
    assert contrast.inside == pytest.approx(0.3)
    assert contrast.outside == pytest.approx(np.mean([0.9, cka[0, 1], 0.6, cka[2, 3]]))


def test_pairs_that_differ_in_all_layers_are_no_difference_inside_of_blocks():
    # Networks 0 and 1 have block structure, and are alike with none; 2 and 3 have none, and are alike with each other.
    pairs = [(a, b, np.eye(4) * (0.9 if a > 1 else 0.5)) for a in range(4) for b in range(a + 1, 4)]
    contrast = agreement(found(*pairs), [mask(4, 1, 2), mask(4, 1, 2), mask(4), mask(4)])
    assert contrast.inside == pytest.approx(contrast.outside) == pytest.approx(0.5)


def test_only_the_pairs_that_are_asked_for_count_and_none_are_none():
    whole = found((0, 1, np.eye(3)), (0, 2, np.eye(3) / 2))
    assert agreement(whole, [mask(3, 0)] * 3, whole.pairs[1:]).outside == pytest.approx(0.5)
    assert agreement(whole, [mask(3, 0)] * 3, []) == Contrast(None, None)


def test_networks_without_block_structure_have_nothing_inside():
    pairs = (0, 1, np.eye(3)), (0, 2, np.eye(3) / 2)
    contrast = agreement(found(*pairs), [mask(3)] * 3)
    assert (contrast.inside, contrast.outside) == (None, 0.75)
