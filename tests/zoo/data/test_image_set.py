import pytest
import torch

from zoo.data.batches import ShuffledBatches, default_batch_size
from zoo.data.digits import load_digits
from zoo.data.image_set import ImageSet, balanced_sizes, balanced_subset
from zoo.data.sources import load_images
from zoo.errors import ZooError


def test_digits_are_split_into_1437_and_360_real_images(digits):
    train, test = digits
    assert (len(train), len(test)) == (1437, 360)
    assert train.images.dtype == torch.uint8
    assert train.input_size == (1, 8, 8)
    assert train.images.max() == 255
    assert test.classes == tuple("0123456789")


def test_no_test_image_is_a_training_image(digits):
    from sklearn.datasets import load_digits as source

    both = torch.cat([part.images.flatten(1) for part in digits])
    original = torch.from_numpy(source().images).mul(255 / 16).round().byte().flatten(1)
    assert sorted(map(tuple, both.tolist())) == sorted(map(tuple, original.tolist()))


def test_digits_test_split_has_the_class_shares_of_the_whole(digits):
    counts = torch.bincount(digits[1].labels)
    whole = torch.bincount(digits[0].labels) + counts
    assert (counts - whole * 360 / 1797).abs().max() < 1


def test_digits_split_never_changes(digits):
    assert [part.fingerprint[:16] for part in digits] == ["258020759b782934", "93d17bee599675da"]


def test_fingerprint_changes_with_images_labels_and_names(digits):
    from dataclasses import replace

    data = digits[1]
    others = [
        replace(data, images=data.images.flip(3)),
        replace(data, labels=data.labels.flip(0)),
        replace(data, classes=tuple("abcdefghij")),
    ]
    assert len({part.fingerprint for part in [data, *others]}) == 4


@pytest.mark.parametrize("size", [359, 10, 1437, 100])
def test_subset_has_the_size_asked_for_and_the_same_class_shares(digits, size):
    part = balanced_subset(digits[0], size, seed=1)
    assert len(part) == size
    counts, whole = torch.bincount(part.labels), torch.bincount(digits[0].labels)
    assert (counts - whole * size / 1437).abs().max() < 1


def test_subset_depends_on_the_seed_and_remembers_where_images_stand(digits):
    one, same, other = (balanced_subset(digits[0], 100, seed) for seed in (1, 1, 2))
    assert torch.equal(one.indices, same.indices)
    assert not torch.equal(one.indices, other.indices)
    assert torch.equal(digits[0].images[one.indices], one.images)


@pytest.mark.parametrize("size", [0, 9, 1438])
def test_subset_that_is_too_small_or_too_large_is_refused(digits, size):
    with pytest.raises(ZooError, match=f"from 10 .* to 1437 images of digits train, got {size}"):
        balanced_subset(digits[0], size, seed=0)


def test_sizes_by_largest_remainder():
    assert balanced_sizes(torch.tensor([0] * 5 + [1] * 3 + [2] * 2).numpy(), 4).tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("split", "images", "empty"), [("train", 2, "'c'"), ("all", 2, "'c'"), ("test", 0, "'a', 'b', 'c'")]
)
def test_empty_class_is_refused_by_name(split, images, empty):
    pixels, numbers = torch.zeros(images, 1, 8, 8).byte(), torch.arange(images)
    with pytest.raises(ZooError, match=f"none of class {empty}"):
        ImageSet("x", split, pixels, numbers, numbers, ("a", "b", "c"))
    ImageSet("x", "test", torch.zeros(2, 1, 8, 8).byte(), torch.arange(2), torch.arange(2), ("a", "b", "c"))


def test_batches_cover_every_image_once_in_another_order_each_pass(digits):
    batches = ShuffledBatches(digits[1], 64, seed=0)
    first, second = (torch.cat([indices for _, _, indices in batches]) for _ in range(2))
    assert len(batches) == 6
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(360))
    assert not torch.equal(first, second)
    again = torch.cat([indices for _, _, indices in ShuffledBatches(digits[1], 64, seed=0)])
    assert torch.equal(first, again)


def test_unknown_dataset_and_split_are_refused():
    with pytest.raises(ZooError, match="expected a dataset \\(digits, .* or a folder\\), got 'mnist'"):
        load_images("mnist", "test")
    with pytest.raises(ZooError, match="splits train, test and all, got 'val'"):
        load_digits("val")


@pytest.mark.parametrize(("examples", "size"), [(10, 32), (100, 32), (360, 60), (1797, 256), (10_000, 256)])
def test_default_batches_are_the_papers_where_there_are_enough_examples(examples, size):
    assert default_batch_size(examples) == size
