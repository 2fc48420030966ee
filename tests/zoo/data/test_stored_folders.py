"""Folders of all kinds: what is opened is in the cache key, and nothing is left out without a note."""

import io
import os
import shutil
import tarfile

import datasets
import pytest
from huggingface_hub import constants
from PIL import Image, features

from tests.support.image_files import digit_rows, encoded, parquet, write_folder
from zoo.data.sources import identity, load_images
from zoo.errors import ZooError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")


def picture(colour="red", form="PNG"):
    return encoded(Image.new("RGB", (8, 8), colour), form)


def overwrite(path, data):
    """Replace a file by one of the same size and modification time."""
    before = path.stat()
    path.with_name("new").write_bytes(data.ljust(before.st_size, b"\0"))
    os.utime(path.with_name("new"), ns=(before.st_atime_ns, before.st_mtime_ns))
    path.with_name("new").replace(path)


def rewrite(path, data):
    """Change the content of a file, but neither its size nor its modification time."""
    before = path.stat()
    path.write_bytes(data.ljust(before.st_size, b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def colours(name="pets"):
    """Red part of each image."""
    return load_images(name, "all").images[:, 0, 0, 0].tolist()


def write_table(path, columns, kinds):
    """Write a parquet file of red images with more columns."""
    rows = len(next(iter(columns.values())))
    types = {"image": datasets.Image(), **kinds}
    data = {"image": [{"bytes": picture(), "path": None}] * rows, **columns}
    path.parent.mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_dict(data, features=datasets.Features(types)).to_parquet(path)


@pytest.mark.parametrize("replace", [overwrite, rewrite])
def test_an_image_that_is_replaced_unseen_is_read_again(here, replace):
    for name in ("cat", "dog"):
        (here / "pets" / name).mkdir(parents=True)
        (here / "pets" / name / "1.bmp").write_bytes(picture("red", "BMP"))
    assert colours() == [255, 255]
    replace(here / "pets/dog/1.bmp", picture("blue", "BMP"))
    assert colours() == [255, 0]


def test_the_target_of_a_symlink_that_is_replaced_unseen_is_read_again(here):
    root = write_folder(here / "pets", per_class=2)
    (root / ".store").write_bytes(picture("red", "BMP"))
    (root / "one/z.bmp").symlink_to(root / ".store")
    before = colours()
    overwrite(root / ".store", picture("blue", "BMP"))
    assert colours() != before


@pytest.mark.parametrize("replace", [overwrite, rewrite])
def test_a_table_that_is_replaced_unseen_is_read_again(here, replace):
    red, blue = picture("red", "BMP"), picture("blue", "BMP")
    (here / "pets").mkdir()
    path = here / "pets/data.parquet"
    path.write_bytes(parquet([(0, red), (1, blue)], ("a", "b")))
    assert colours() == [255, 0]
    data = parquet([(0, blue), (1, red)], ("a", "b"))
    assert len(data) == path.stat().st_size
    replace(path, data)
    assert colours() == [0, 255]


@pytest.mark.parametrize("name", ["emb.parquet", "deep/er/emb.parquet", "emb.arrow", "emb.tar", "metadata.parquet"])
def test_class_folders_beside_tables_are_refused(here, name):
    root = write_folder(here / "pets", per_class=3)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(parquet(digit_rows(2)))
    with pytest.raises(
        ZooError, match=rf"either images in class folders or tables .* got images in one, two and {name}"
    ):
        load_images("pets", "all")


@pytest.mark.parametrize("name", ["emb.csv", "emb.jsonl", "metadata.csv", "emb.npz", "one/caption.txt"])
def test_class_folders_beside_other_files_are_read_with_a_note(here, name):
    root = write_folder(here / "pets", per_class=3)
    (root / name).write_text("x")
    data = load_images("pets", "all")
    assert (len(data), data.classes) == (9, ("one", "two", "zero"))
    assert data.notes == (f"left out other files: 1 .{name.split('.')[1]} ({name}).",)
    before = identity("pets", "all")
    (root / "one/new.png").write_bytes(picture())
    assert identity("pets", "all") != before
    assert len(load_images("pets", "all")) == 10


def test_tables_beside_single_images_are_read_with_a_note(here):
    write_folder(here / "pets/examples", per_class=1)
    (here / "pets/data").mkdir()
    (here / "pets/data/a.parquet").write_bytes(parquet(digit_rows(2)))
    (here / "pets/labels.csv").write_text("a,b\n1,2\n")
    (here / "pets/README.md").write_text("# Pets")
    data = load_images("pets", "all")
    assert len(data) == 6
    (note,) = data.notes
    assert note.startswith("left out other files: 3 .png (examples/one/")
    assert note.endswith("1 .csv (labels.csv).")


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("x" * 10_000_001, "expected at most 10,000,000 bytes in"),
        (
            "---\nconfigs:\n- {config_name: a, data_files: a.*}\n- {config_name: b, data_files: b.*}\n---\n",
            "expected one configuration of pets, got several",
        ),
    ],
)
def test_dataset_cards_that_cannot_be_used_are_refused(here, card, message):
    (here / "pets").mkdir()
    for name in ("a.parquet", "b.parquet"):
        (here / "pets" / name).write_bytes(parquet(digit_rows(2)))
    (here / "pets/README.md").write_text(card)
    with pytest.raises(ZooError, match=message):
        load_images("pets", "all")


def test_splits_of_a_dataset_card_are_used(here):
    (here / "pets").mkdir()
    for name, count in (("a.parquet", 5), ("b.parquet", 2)):
        (here / "pets" / name).write_bytes(parquet(digit_rows(count)))
    files = "".join(
        f"  - split: {split}\n    path: {name}\n" for split, name in (("train", "b.parquet"), ("test", "a.parquet"))
    )
    (here / "pets/README.md").write_text(f"---\nconfigs:\n- config_name: x\n  data_files:\n{files}---\n")
    assert [len(load_images("pets", split)) for split in ("train", "test")] == [6, 15]


def test_a_table_outside_of_the_folder_is_refused(here):
    (here / "pets").mkdir()
    (here / "other.parquet").write_bytes(parquet(digit_rows(2)))
    (here / "pets/train.parquet").write_bytes(parquet(digit_rows(2)))
    (here / "pets/test.parquet").symlink_to(here / "other.parquet")
    (here / "pets/README.md").write_text("---\nconfigs:\n- config_name: a\n  data_files: '*.parquet'\n---\n")
    with pytest.raises(ZooError, match="all tables in pets to be files in this folder, got other.parquet"):
        load_images("pets", "all")


# Names of folders or files, and the sizes of the splits train, test, and all.
@pytest.mark.parametrize("ending", ["", "_set", "-images"])
@pytest.mark.parametrize(
    ("train", "test"),
    [
        *[("Train", "Test"), ("TRAIN", "TEST"), ("training", "testing"), ("train", "dev"), ("train", "eval")],
        *[("Training", "Validation"), ("train", "VALID"), ("train", "evaluation")],
    ],
)
def test_usual_names_of_splits_are_recognised(here, train, test, ending):
    write_folder(here / f"pets/{train}{ending}", per_class=5)
    write_folder(here / f"pets/{test}{ending}", per_class=2)
    (here / "table").mkdir()
    (here / f"table/{train}{ending}-0.parquet").write_bytes(parquet(digit_rows(5)))
    (here / f"table/{test}{ending}-0.parquet").write_bytes(parquet(digit_rows(2)))
    for name in ("pets", "table"):
        parts = [load_images(name, split) for split in ("train", "test", "all")]
        assert [len(part) for part in parts] == [15, 6, 21]
        assert parts[0].notes == ()


def test_train_dev_and_eval_are_three_splits(here):
    for split, count in (("train", 5), ("dev", 2), ("eval", 3)):
        write_folder(here / "pets" / split, per_class=count)
    assert [len(load_images("pets", split)) for split in ("train", "test", "all")] == [15, 6, 30]


def write_splits_without_classes(root):
    for split in ("Train", "Test"):
        write_folder(root / split, classes=1, per_class=2)
        (root / split / "zero").rename(root / "x")
        (root / split).rmdir()
        (root / "x").rename(root / split)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (write_splits_without_classes, "folders of classes in Test, Train of .*, which are named like splits"),
        (
            lambda root: [write_folder(root / name) for name in ("Train", "training")],
            "one folder per split in .*, got Train, training, which mean the same split",
        ),
        (
            lambda root: [
                write_folder(root / "x", form="PNG"),
                [p.rename(p.with_suffix(".heic")) for p in root.rglob("*.png")],
            ],
            r"got 0 images elsewhere and other files: 30 .heic \(x/",
        ),
    ],
)
def test_folders_without_clear_classes_are_refused(here, make, message):
    make(here / "pets")
    with pytest.raises(ZooError, match=message):
        load_images("pets", "all")


def test_a_class_without_training_images_is_refused_with_the_reason(here):
    for split in ("train", "test"):
        write_folder(here / "pets" / split, per_class=3)
    for path in (here / "pets/train/two").iterdir():
        path.rename(path.with_suffix(".heic"))
    message = r"got 'two' \(folders without images are no classes: train/two \(3 .heic\)\); remove or move it"
    with pytest.raises(ZooError, match=message):
        load_images("pets", "test")


def test_folders_without_images_are_named(here):
    root = write_folder(here / "pets", per_class=5)
    (root / "bird").mkdir()
    for name in ("fish/1.heic", "fish/2.HEIC", "cow/3"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    assert load_images("pets", "all").notes == (
        "folders without images are no classes: bird (no files), cow (1 without suffix), fish (2 .heic).",
        "left out images that cannot be decoded: 2 .heic (fish/1.heic, fish/2.HEIC); convert them to PNG or JPEG.",
        "left out other files: 1 without suffix (cow/3).",
    )


@pytest.mark.parametrize("name", ["train.parquet", "data/x.arrow", "a.tar"])
def test_pointers_of_git_lfs_in_place_of_tables_are_named(here, name):
    (here / "pets" / name).parent.mkdir(parents=True)
    (here / "pets" / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")
    with pytest.raises(ZooError, match=f"pets/{name} is only a pointer of git-lfs to the file; run `git lfs pull`"):
        load_images("pets", "all")


# What a file with the suffix of an image may hold, and the reason that its note gives.
STRANGE = {
    b"": "an empty file",
    b"\0\0\0\x18ftypheic" + bytes(20): "HEIC, which cannot be decoded; convert it to PNG or JPEG",
    b"\0\0\0\x18ftypmif1" + bytes(20): "HEIC, which",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL, which",
    b"\xff\x4f\xff\x51" + bytes(20): "JPEG 2000, which",
    b"%PDF-1.7": "PDF, which",
    b"<svg xmlns='x'/>": "SVG, which",
    b"<!DOCTYPE html><html>404": "HTML, which",
    b"8BPS" + bytes(30): "PSD, which",
    b"%!PS-Adobe-3.0 EPSF-3.0\n": "not an image",
    b"P6 99999999 99999999 255\n": "exceeds limit",
    b"version https://git-lfs.github.com/spec/v1\n": "only a pointer of git-lfs",
}


@pytest.mark.parametrize("data", STRANGE)
def test_what_cannot_be_decoded_is_named_with_the_reason(here, data):
    root = write_folder(here / "pets", per_class=5)
    (root / "one" / "x.png").write_bytes(data)
    (note,) = load_images("pets", "all").notes
    assert note.startswith("skipped 1 unreadable image: one/x.png (") and STRANGE[data] in note


def test_many_unreadable_images_are_counted_by_suffix(here):
    root = write_folder(here / "pets", per_class=5)
    for name in ("a.jpg", "b.jpg", "c.png", "d.JPG", "e.gif"):
        (root / "one" / name).write_bytes(b"x")
    (note,) = load_images("pets", "all").notes
    assert note.endswith(" one/c.png (not an image), ... (3 .jpg, 1 .png, 1 .gif).")


@pytest.mark.parametrize("split", ["all", "train"])
def test_a_class_whose_images_cannot_be_read_is_named(here, split):
    root = write_folder(here / "pets", per_class=5)
    (root / "bird").mkdir()
    for number in range(3):
        (root / f"bird/{number}.png").write_text(f"no image {number}")
    with pytest.raises(ZooError, match="none of class 'bird'; add images of it, or remove the class"):
        load_images("pets", split)


def test_a_class_may_have_no_test_images(here):
    write_folder(here / "pets/train", per_class=5)
    write_folder(here / "pets/test", per_class=2, classes=2)
    data = load_images("pets", "test")
    assert (len(data), data.classes) == (4, ("one", "two", "zero"))
    assert data.notes == ("no images of 1 of 3 classes: two.",)


def test_classes_that_are_named_like_splits_are_noted(here):
    root = write_folder(here / "pets", per_class=3)
    (root / "one").rename(root / "Test")
    assert load_images("pets", "all").notes == (
        "folders named like splits are classes: Test; to leave them out, move them elsewhere.",
    )


def test_classes_that_hold_the_same_folders_are_noted(here):
    for name in ("fold0", "fold1"):
        write_folder(here / "pets" / name, per_class=3)
    (note,) = load_images("pets", "all").notes
    assert note.startswith(
        "the classes are fold0, fold1, which hold the same folders one, two, zero; if they are splits"
    )


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_avif_is_decoded(here):
    root = write_folder(here / "pets", per_class=5)
    (root / "one/new.avif").write_bytes(picture("red", "AVIF"))
    data = load_images("pets", "all")
    (row,) = (row for row, path in enumerate(data.paths) if path.endswith("avif"))
    assert (len(data), data.notes) == (16, ())
    assert abs(data.images[row, :, 4, 4].int() - data.images.new_tensor([255, 0, 0]).int()).max() < 6


def test_links_of_a_snapshot_are_followed(here):
    store, snapshot = here / "hub/datasets--you--pets/blobs", here / "hub/datasets--you--pets/snapshots/abc"
    write_folder(snapshot, per_class=4)
    store.mkdir()
    for number, path in enumerate(snapshot.glob("*/*")):
        path.rename(store / str(number))
        path.symlink_to(os.path.relpath(store / str(number), path.parent))
    data = load_images(str(snapshot), "all")
    assert (len(data), data.notes) == (12, ())


def test_links_into_the_cache_of_the_hub_and_the_same_tree_are_followed(here, monkeypatch):
    cache = write_folder(here / "cache", per_class=2)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    root = write_folder(here / "pets", per_class=3)
    (root / "one/cached.png").symlink_to(next(cache.glob("two/*")))
    (root / "three").symlink_to(root / "two")
    data = load_images("pets", "all")
    assert (len(data), data.classes, data.notes) == (13, ("one", "three", "two", "zero"), ())


def test_links_in_circles_and_to_nowhere_are_counted_and_named(here):
    root = write_folder(here / "pets", per_class=3)
    (root / "one/up").symlink_to(root)
    (root / "self.png").symlink_to(root / "self.png")
    (root / "lost.png").symlink_to(root / "nothing")
    for a, b in (("one", "two"), ("two", "zero"), ("zero", "one")):
        (root / a / "next").symlink_to(root / b)
    data = load_images("pets", "all")
    assert {"one", "two", "zero"} == set(data.classes)
    (note,) = data.notes
    assert note.startswith("skipped ") and "lost.png" in note
    assert len(data) < 60


def write_saved(root, wrapped):
    """Write what `Dataset.save_to_disk` or `DatasetDict.save_to_disk` writes."""
    path = root.with_name("table.parquet")
    path.write_bytes(parquet(digit_rows(5)))
    data = datasets.Dataset.from_parquet(str(path))
    (datasets.DatasetDict(train=data, test=data.select(range(0, 15, 3))) if wrapped else data).save_to_disk(root)


@pytest.mark.parametrize(("wrapped", "sizes"), [(True, [15, 5, 20]), (False, [12, 3, 15])])
def test_a_saved_dataset_is_opened(here, wrapped, sizes):
    write_saved(here / "pets", wrapped)
    # The library writes results of `Dataset.map` beside the tables.
    shutil.copy(next((here / "pets").rglob("*.arrow")), here / "pets/cache-0123.arrow")
    assert [len(load_images("pets", split)) for split in ("train", "test", "all")] == sizes
    data = load_images("pets", "all")
    assert data.classes == ("zero", "one", "two")
    assert data.notes[-1] == "left out other files: 1 .arrow (cache-0123.arrow)."


def write_tar(path, rows, extension="cls"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for number, (label, data) in enumerate(rows):
            for suffix, content in (("png", data), (extension, str(label).encode())):
                entry = tarfile.TarInfo(f"{number:04}.{suffix}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))


def test_webdataset_archives_are_opened(here):
    write_tar(here / "pets/train-0.tar", digit_rows(5))
    write_tar(here / "pets/test-0.tar", digit_rows(2))
    assert [len(load_images("pets", split)) for split in ("train", "test")] == [15, 6]
    assert load_images("pets", "train").classes == ("0", "1", "2")


VALUE = datasets.Value


@pytest.mark.parametrize(
    ("column", "values", "kind", "classes"),
    [
        ("label", [0.0, 1.0, 1.0], VALUE("float32"), ("0", "1")),
        ("label", [2.0, 10.0, 2.0], VALUE("float64"), ("2", "10")),
        ("label", [True, False, True], VALUE("bool"), ("False", "True")),
        ("labels", ["b", "a", "b"], VALUE("string"), ("a", "b")),
        ("labels", [5, 7, 5], VALUE("int64"), ("5", "7")),
        ("labels", [1, 0, 1], datasets.ClassLabel(names=["x", "y"]), ("x", "y")),
    ],
)
def test_labels_of_all_types_become_classes(here, column, values, kind, classes):
    write_table(here / "pets/a.parquet", {column: values}, {column: kind})
    data = load_images("pets", "all")
    assert data.classes == classes
    names = [f"{value:g}" if isinstance(value, float) else value for value in values]
    assert [data.classes[label] for label in data.labels] == [
        kind.names[value] if isinstance(kind, datasets.ClassLabel) else str(value) for value in names
    ]


TWO = {"breed": VALUE("string"), "size": VALUE("string")}
LABELLED = {"label": VALUE("string"), "labels": VALUE("string")}


@pytest.mark.parametrize(
    ("columns", "kinds", "message"),
    [
        (
            {"label": [1.0, float("nan")]},
            {"label": VALUE("float32")},
            "a label for each image of pets, got none for row 1",
        ),
        ({"label": [0.5, 1.0]}, {"label": VALUE("float32")}, "got the number 0.5; choose another with --label-column"),
        ({"breed": ["a", "b"], "size": ["s", "l"]}, TWO, "columns image, breed, size; choose one with --label-column"),
        (
            {"breed": [0, 1], "size": [1, 0]},
            dict.fromkeys(TWO, datasets.ClassLabel(names=["p", "q"])),
            "got breed, size; choose one with --label-column",
        ),
        (
            {"label": ["a", "b"], "second": [{"bytes": picture(), "path": None}] * 2},
            {"label": VALUE("string"), "second": datasets.Image()},
            None,
        ),
    ],
)
def test_several_columns_are_named_with_the_option_that_chooses(here, columns, kinds, message):
    write_table(here / "pets/a.parquet", columns, kinds)
    if message:
        with pytest.raises(ZooError, match=message):
            load_images("pets", "all")
    else:
        assert load_images("pets", "all").notes == (
            "the images are those of column image, not second (see --image-column).",
        )


def test_columns_are_chosen_by_name_and_give_their_own_identity(here):
    write_table(here / "pets/a.parquet", {"breed": ["a", "b"], "size": ["s", "l"]}, TWO)
    breeds, sizes = (load_images(f"pets?label={column}", "all") for column in TWO)
    assert (breeds.classes, sizes.classes, breeds.name) == (("a", "b"), ("l", "s"), "pets?label=breed")
    assert identity("pets?label=breed", "all") != identity("pets?label=size", "all")
    with pytest.raises(
        ZooError, match="got 'colour' of the columns image, breed, size; choose another with --label-column"
    ):
        load_images("pets?label=colour", "all")
    write_folder(here / "folder")
    with pytest.raises(ZooError, match="expected tables for --image-column and --label-column, got none in folder"):
        load_images("folder?label=x", "all")


def test_a_first_choice_of_labels_is_noted(here):
    write_table(here / "pets/a.parquet", {"label": ["a", "b"], "labels": ["s", "l"]}, LABELLED)
    data = load_images("pets", "all")
    assert (data.classes, data.notes) == (
        ("a", "b"),
        ("the class labels are those of column label, not labels (see --label-column).",),
    )


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.tar", "dataset_dict.json", "state.json", "README.md"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"\xff\xfe\x00", b'{"splits": ["../x"]}', b"---\nconfigs: [\n---\n"])
def test_damaged_files_give_one_line(here, name, content):
    (here / "pets").mkdir()
    (here / "pets/b.parquet").write_bytes(parquet(digit_rows(2)))
    if name.endswith(("tar", "arrow")):
        (here / "pets/b.parquet").unlink()
    (here / "pets" / name).write_bytes(content)
    try:
        load_images("pets", "all")
    except ZooError as error:
        assert "\n" not in str(error)
        assert "pets" in str(error)
