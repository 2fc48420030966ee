"""Images for a page come from batches or from a mapping."""

import numpy as np
import pytest
import torch

import zoo
from cards.results.images import comparison_images, find_images, inspection_images
from compare.errors import CompareError
from tests.support.pages import disagreeing, full
from tests.support.samples import dominated, inspection


def batches(images):
    indices = torch.arange(100, 100 + len(images))
    return [(part, torch.zeros(len(part)), i) for part, i in zip(images.split(3), indices.split(3), strict=True)]


def test_the_images_of_batches_are_found_by_their_index():
    images = torch.rand(8, 3, 5, 4)
    found = find_images(batches(images), {101, 107, 9})
    assert sorted(found) == [101, 107]
    assert np.array(found[107]).shape == (5, 4, 3)
    assert np.array_equal(found[107], (images[7] * 255).round().permute(1, 2, 0))
    pixels = (images * 255).round().byte()
    assert find_images(batches(pixels), {101, 107}) == found


def test_no_batch_is_read_after_the_last_image():
    def two():
        yield from batches(torch.rand(3, 1, 5, 4))
        raise AssertionError("read on")

    assert list(find_images(two(), {102})) == [102]


def test_images_of_the_zoo_are_those_in_the_batches():
    data = zoo.images("digits")
    (index,) = find_images(data, {5})
    assert index == 5
    assert np.array_equal(np.array(find_images(data, {5})[5])[..., 0], data.data.images[5, 0])


def test_a_mapping_may_lack_images():
    image = np.zeros((5, 4, 3), np.uint8)
    assert find_images({1: image, 2: image}, {2, 3}) == {2: image.tolist()}
    assert find_images(None, {1}) == find_images({1: image}, set()) == {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([(torch.rand(3, 1, 5, 4), torch.zeros(3))], "got batches of another form"),
        ([(torch.rand(3, 8), torch.zeros(3), torch.arange(3))], "got batches of another form"),
        ([(torch.randn(3, 1, 50, 40), torch.zeros(3), torch.arange(3))], "got values from -"),
        ([(torch.rand(3, 4, 5, 4), torch.zeros(3), torch.arange(3))], r"got an image of shape \(5, 4, 4\)"),
        ({0: np.zeros((3, 5, 4), np.uint8)}, r"got an image of shape \(3, 5, 4\)"),
        ({0: np.full((5, 4, 1), 256)}, "got values from 256 to 256"),
    ],
)
def test_other_sources_are_refused(source, message):
    with pytest.raises(CompareError, match=message):
        find_images(source, {0, 1})


def test_pages_show_images_that_differ_and_those_that_dominate():
    assert inspection_images(inspection()) == comparison_images(full()) == {17}
    assert comparison_images(dominated()) == {17}
    assert comparison_images(disagreeing()[0]) == set(range(6))
