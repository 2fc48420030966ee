"""Images for a page come from batches or from a mapping."""

import numpy as np
import pytest
import torch

import zoo
from cards.results.images import comparison_images, find_images, inspection_images
from compare.errors import CompareError
from tests.support.pages import disagreeing, full
from tests.support.samples import dominated, inspection


def test_images_of_the_zoo_are_those_in_the_batches():
    batches = zoo.images("digits", max_examples=50)
    images, _, indices = next(iter(batches))
    outside = (set(range(360)) - {int(i) for _, _, part in batches for i in part}).pop()
    wanted = {*indices[:3].tolist(), outside}
    found = find_images(batches, wanted)
    assert found.keys() == wanted - {outside}
    for image, index in zip(images[:3], indices[:3].tolist(), strict=True):
        assert np.array_equal(found[index], (image * 255).round().permute(1, 2, 0))


def test_a_mapping_may_lack_images():
    image = np.zeros((5, 4, 3), np.uint8)
    assert find_images({1: image, 2: image}, {2, 3}) == {2: image.tolist()}
    assert find_images(None, {1}) == find_images({1: image}, set()) == {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([(torch.rand(3, 1, 5, 4), torch.zeros(3))], "expected the batches of zoo.images, or a mapping .*, got list"),
        ({0: np.zeros((3, 5, 4), np.uint8)}, r"with 1 or 3 channels, got shape \(3, 5, 4\)"),
        ({0: np.zeros((5, 4, 3))}, "with integers from 0 to 255, got float64"),
        ({0: np.full((5, 4, 1), 256)}, "with integers from 0 to 255, got int64"),
    ],
)
def test_other_sources_are_refused(source, message):
    with pytest.raises(CompareError, match=message):
        find_images(source, {0, 1})


def test_pages_show_images_that_differ_and_those_that_dominate():
    assert inspection_images(inspection()) == comparison_images(full()) == {17}
    assert comparison_images(dominated()) == {17}
    assert comparison_images(disagreeing()[0]) == set(range(6))
