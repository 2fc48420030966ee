"""Folders of images: listing, splits, and caching."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

import zoo.data.load_split
from tests.support.image_files import digit_rows, encoded, parquet, write_folder
from zoo.base.cache_folder import cache_folder
from zoo.data.image_set import balanced_subset
from zoo.data.sources import identity, load_images
from zoo.data.stored.splits import mark_smallest
from zoo.errors import ZooError


def load(root, split="train"):
    return load_images(str(root), split)


def test_class_folders_are_divided_by_class(here):
    write_folder(here / "pets", per_class=20)
    train, test, whole = (load_images("pets", split) for split in ("train", "test", "all"))
    assert train.classes == ("one", "two", "zero")
    assert (train.labels.bincount().tolist(), test.labels.bincount().tolist()) == ([16] * 3, [4] * 3)
    assert sorted([*train.indices.tolist(), *test.indices.tolist()]) == whole.indices.tolist() == list(range(60))
    assert torch.equal(test.images, whole.images[test.indices])
    assert (whole.name, whole.input_size) == ("pets", (3, 8, 8))
    assert "no test split" in train.notes[0]


def test_the_division_does_not_depend_on_names_of_files(here):
    a, b = write_folder(here / "a"), write_folder(here / "b")
    for number, path in enumerate(sorted(b.glob("*/*"))):
        path.rename(path.with_name(f"{997 * number % 1000}.png"))
    first, second = (load(root, "test").images.flatten(1).tolist() for root in (a, b))
    assert sorted(first) == sorted(second)


@pytest.mark.parametrize("name", ["test", "validation", "val"])
def test_folders_of_splits_are_taken_as_they_are(here, name):
    write_folder(here / "pets/train", per_class=5)
    write_folder(here / f"pets/{name}", per_class=2)
    assert [len(load("pets", split)) for split in ("train", "test", "all")] == [15, 6, 21]
    assert load("pets").notes == ()


def test_pixels_are_those_of_the_files_in_their_order(here):
    write_folder(here / "pets", per_class=3)
    data = load("pets", "all")
    paths = sorted(here.glob("pets/*/*"), key=lambda path: (path.parent.name, path.name))
    expected = np.stack([np.asarray(Image.open(path)).transpose(2, 0, 1) for path in paths])
    assert np.array_equal(data.images.numpy(), expected)
    assert [data.classes[label] for label in data.labels] == [path.parent.name for path in paths]


def test_grey_images_keep_one_channel_unless_one_has_colours(here):
    root = write_folder(here / "pets", mode="L")
    assert load(root, "all").input_size == (1, 8, 8)
    (root / "one/red.png").write_bytes(encoded(Image.new("RGB", (8, 8), "red")))
    assert load(root, "all").input_size == (3, 8, 8)


def test_mixed_sizes_become_squares_of_the_median_shorter_side(here):
    root = write_folder(here / "pets", per_class=10)
    for number in range(40):
        (root / f"one/wide{number}.png").write_bytes(encoded(Image.new("RGB", (50, 20 + number % 2))))
    data = load(root, "all")
    assert data.input_size == (3, 20, 20)
    assert "scaled to cover 20x20 pixels" in data.notes[0]


def test_unreadable_images_are_skipped_and_named(here):
    root = write_folder(here / "pets", per_class=10)
    (root / "one/bad.png").write_text("no image")
    (root / "two/empty.jpg").write_bytes(b"")
    data = load(root, "all")
    assert len(data) == 30
    assert data.notes == ("skipped 2 unreadable images: one/bad.png (not an image), two/empty.jpg (an empty file).",)
    # Where the others stand has not changed.
    assert data.indices.tolist() == [i for i in range(32) if i not in (10, 21)]


def test_too_many_unreadable_images_are_an_error_that_names_some(here):
    root = write_folder(here / "pets", per_class=10)
    for number in range(11):
        (root / f"one/bad{number:02}.png").write_text("no image")
    with pytest.raises(
        ZooError, match=r"at most 10 unreadable images among the 41 of .*pets.*one/bad00.png \(not an image\)"
    ):
        load(root, "all")


def test_hidden_foreign_and_linked_files_are_skipped(here):
    root = write_folder(here / "pets", per_class=3)
    outside = write_folder(here / "elsewhere", per_class=4)
    (root / "one/.hidden.png").write_bytes(b"")
    (root / ".cache").mkdir()
    (root / "one/Thumbs.db").write_bytes(b"")
    (root / "lost.png").write_bytes(encoded(Image.new("RGB", (8, 8))))
    (root / "one/out.png").symlink_to(next(outside.glob("*/*.png")))
    (root / "four").symlink_to(outside / "one")
    (root / "one/within.png").symlink_to(next(root.glob("two/*.png")).resolve())
    data = load(root, "all")
    assert (len(data), data.classes) == (10, ("one", "two", "zero"))
    assert data.notes == (
        "skipped 1 image outside of class folders: lost.png.",
        "skipped 2 symlinks that lead nowhere, in a circle, or out of the dataset: four, one/out.png.",
    )


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda root: root.mkdir(), "expected images in .* as CLASS/IMAGE or train/CLASS/IMAGE, or parquet files"),
        (lambda root: write_folder(root, classes=1), "at least two classes in .*, got 1"),
        (lambda root: write_folder(root / "test"), "expected train images in .*, got the splits test"),
        (
            lambda root: [write_folder(root / "train", classes=2), write_folder(root / "test", classes=3)],
            "expected only classes of the training split in .*test, got 'two'",
        ),
        (
            lambda root: [write_folder(root / "train", per_class=1), (root / "test/one/x").mkdir(parents=True)],
            "every class of .* needs an image, got 0 images",
        ),
    ],
)
def test_unusable_datasets_give_a_clear_error(here, make, told):
    make(here / "pets")
    with pytest.raises(ZooError, match=told):
        load("pets")


def test_second_load_comes_from_the_cache(here, monkeypatch):
    write_folder(here / "pets")
    first = load("pets")
    monkeypatch.setattr(zoo.data.load_split, "decode_all", None)
    second = load("pets")
    assert torch.equal(first.images, second.images)
    assert (first.fingerprint, first.notes, first.split) == (second.fingerprint, second.notes, second.split)
    assert first.indices.tolist() == second.indices.tolist()


def test_damaged_cache_is_decoded_again(here):
    write_folder(here / "pets")
    first = load("pets").images.clone()
    (file,) = (cache_folder() / "images").iterdir()
    data = bytearray(file.read_bytes())
    for damaged in (data[:-1] + bytes([data[-1] ^ 1]), data[:-100], b"x"):
        file.write_bytes(damaged)
        assert torch.equal(load("pets").images, first)


def test_a_changed_file_changes_the_identity_and_the_images(here):
    root = write_folder(here / "pets")
    before, path = identity("pets", "all"), min(root.glob("one/*.png"))
    assert identity("pets", "all") == before != identity("pets", "train")
    load(root, "all")
    path.write_bytes(encoded(Image.new("RGB", (8, 8), "red")))
    os.utime(path, ns=(1, 1))
    assert identity("pets", "all") != before
    assert load(root, "all").images[0].flatten(1).float().mean(1).tolist() == [255, 0, 0]


def test_unwritable_cache_is_not_an_error(here, monkeypatch):
    write_folder(here / "pets")
    (here / "taken").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(here / "taken"))
    data = load("pets", "all")
    assert len(data) == 30
    assert "cannot cache decoded images" in data.notes[-1]


def test_large_sets_are_decoded_on_demand_to_the_same_pixels(here, monkeypatch):
    write_folder(here / "pets", per_class=40)
    (here / "pets/one/bad.png").write_text("no image")
    whole = load("pets")
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 1000)
    (cache_folder() / "images").rename(here / "before")
    for _ in range(2):
        lazy = load("pets")
        assert not isinstance(lazy.images, torch.Tensor)
        assert torch.equal(torch.cat(list(lazy.images.split(17))), whole.images)
        assert (lazy.notes, lazy.labels.tolist()) == (whole.notes, whole.labels.tolist())
        part, expected = (balanced_subset(data, 12, seed=0) for data in (lazy, whole))
        assert torch.equal(part.images[:], expected.images)
        assert part.fingerprint != lazy.fingerprint == load("pets").fingerprint


def test_fingerprint_depends_only_on_content(here, monkeypatch):
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 0)
    write_folder(here / "a")
    before = load("a").fingerprint
    for path in (here / "a").glob("*/*"):
        os.utime(path, ns=(1, 1))
    assert load("a").fingerprint == before
    victim = here / "a/one/008-0010.png"
    victim.write_bytes(victim.read_bytes() + b"more")
    assert load("a", "all").fingerprint != before


def test_parquet_files_of_a_folder_are_a_data_set(here):
    # The name of a format, too.
    (here / "csv").mkdir()
    (here / "csv/train-00000-of-00001.parquet").write_bytes(parquet(digit_rows(5)))
    (here / "csv/test-00000-of-00001.parquet").write_bytes(parquet(digit_rows(2)))
    assert [len(load("csv", split)) for split in ("train", "test", "all")] == [15, 6, 21]
    assert load("csv").classes == ("zero", "one", "two")


def test_an_absolute_path_is_not_recorded(here):
    assert load(write_folder(here / "pets")).name == "pets"


def test_of_each_class_the_images_with_the_smallest_hashes_are_marked():
    hashes = np.array([b"c", b"a", b"b", b"d", b"e"])
    assert mark_smallest(hashes, np.array([0, 0, 0, 1, 1]), np.array([2, 1])).tolist() == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_names_that_are_not_utf8_are_cleaned(here):
    root = write_folder(here / "pets\udce9", per_class=6)
    next((root / "one").iterdir()).rename(root / "one" / "caf\udce9.png")
    (root / "one").rename(root / "un\udce9")
    (root / "two" / "bad\udce9.png").write_bytes(b"")
    data = load("pets\udce9", "all")
    assert "un\ufffd/caf\ufffd.png" in data.paths
    assert (data.name, data.classes) == ("pets\ufffd", ("two", "un\ufffd", "zero"))
    assert data.notes == ("skipped 1 unreadable image: two/bad\ufffd.png (an empty file).",)
    (root / "two").rename(root / "un\udce8")
    with pytest.raises(
        ZooError, match="folders un\ufffd that differ only in characters that cannot be printed; rename them"
    ):
        load("pets\udce9", "all")
