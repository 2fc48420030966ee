"""Datasets from the local Hub, with the `datasets` library."""

import io

import datasets
import numpy as np
import pytest
import torch
from huggingface_hub import constants
from PIL import Image

import zoo.data.load_split
from cli.inputs.superclasses import find_superclasses, own_superclasses
from tests.support.image_files import digit_rows, encoded, parquet
from zoo.data.sources import identity, load_images
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.model_folder.checkpoint import save_checkpoint
from zoo.train.build import fit_to
from zoo.train.train import train_model

TRAIN, TEST = "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"


@pytest.fixture(autouse=True)
def own_cache(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")


def seed(hub, files, repo_id="you/pets", **options):
    return hub.seed(repo_id, files, kind="dataset", **options)


def test_splits_classes_and_pixels_are_those_of_the_hub(hub):
    rows = digit_rows(6)
    seed(hub, {TRAIN: parquet(rows), TEST: parquet(digit_rows(2))})
    data = load_images("hf:you/pets", "train")
    pixels = datasets.load_dataset("you/pets", split="train").with_format("numpy")["image"][:]
    assert np.array_equal(data.images.numpy(), np.stack(list(pixels)).transpose(0, 3, 1, 2))
    assert data.labels.tolist() == [label for label, _ in rows]
    assert (data.name, data.classes, data.notes) == ("hf:you/pets", ("zero", "one", "two"), ())
    assert data.rows.tolist() == list(range(18))
    assert [len(load_images("hf:you/pets", split)) for split in ("test", "all")] == [6, 24]


def test_second_load_requests_only_the_commit(hub, monkeypatch):
    seed(hub, {TRAIN: parquet(digit_rows(5)), TEST: parquet(digit_rows(1))})
    first = load_images("hf:you/pets", "train").fingerprint
    hub.requests.clear()
    assert load_images("hf:you/pets", "train").fingerprint == first
    assert len(hub.requests) == 1
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load_images("hf:you/pets", "train").fingerprint == first
    assert len(hub.requests) == 1
    with pytest.raises(ZooError, match="you/cats is not in the cache, and HF_HUB_OFFLINE is set"):
        load_images("hf:you/cats", "train")


def test_a_revision_is_pinned(hub):
    old = seed(hub, {TRAIN: parquet(digit_rows(5)), TEST: parquet(digit_rows(1))}, tag="v1")
    before = identity("hf:you/pets", "train")
    seed(hub, {TRAIN: parquet(digit_rows(7))})
    assert len(load_images("hf:you/pets", "train")) == 21
    assert [len(load_images(f"hf:you/pets@{revision}", "train")) for revision in ("v1", old, old[:8])] == [15] * 3
    assert identity("hf:you/pets@v1", "train") == before != identity("hf:you/pets", "train")
    with pytest.raises(ZooError, match="no such revision"):
        load_images("hf:you/pets@v2", "train")


def test_short_names_are_hub_repositories(hub):
    names = ["zero", "one", "two"]
    files = {TRAIN: parquet(digit_rows(5), names, "img"), TEST: parquet(digit_rows(2), names, "img")}
    seed(hub, files, "uoft-cs/cifar10")
    data = load_images("cifar10", "test")
    assert (data.name, len(data), data.classes) == ("cifar10", 6, tuple(names))


def seed_cifar100(hub, per_class=5):
    """Digits in the layout of uoft-cs/cifar100."""
    fine, coarse = (datasets.ClassLabel(names=names) for names in (["zero", "one", "two"], ["few", "many"]))
    features = datasets.Features({"img": datasets.Image(), "fine_label": fine, "coarse_label": coarse})
    rows = [
        {"img": {"bytes": data, "path": None}, "fine_label": label, "coarse_label": label // 2}
        for label, data in digit_rows(per_class)
    ]
    buffer = io.BytesIO()
    datasets.Dataset.from_list(rows, features=features).to_parquet(buffer)
    seed(hub, {TRAIN: buffer.getvalue(), TEST: buffer.getvalue()}, "uoft-cs/cifar100")


def test_fine_labels_of_cifar100_are_classes_and_coarse_labels_superclasses(hub):
    seed_cifar100(hub)
    classes = load_images("cifar100", "test").classes
    assert classes == ("zero", "one", "two")
    assert own_superclasses("cifar100") == own_superclasses("hf:uoft-cs/cifar100@main") == "cifar100"
    assert own_superclasses("digits") is None
    assert find_superclasses("cifar100", classes) == {"zero": "few", "one": "few", "two": "many"}


@pytest.mark.slow
def test_groups_of_cifar100_models_report_superclasses_by_default(hub, run, here, brief):
    seed_cifar100(hub, per_class=20)
    sets = load_images("cifar100", "train"), load_images("cifar100", "test")
    for number in range(4):
        (here / f"m{number}").mkdir()
        save_checkpoint(here / f"m{number}", *train_model(fit_to(Variant(8, 0.5), sets[0]), *sets, brief, seed=number))
    ran = run("zoo", "groups", "--a", "m0", "m1", "--b", "m2", "m3")
    assert ran.code == 0, ran.stderr
    assert "Accuracy by superclass over the seeds" in ran.stdout


def test_imagenet_has_its_validation_images_for_testing(hub):
    rows = [(label, encoded(Image.new("RGB", (30 + label, 20)), "JPEG")) for label, _ in digit_rows(3)]
    hidden = [(-1, rows[0][1])]
    files = {name: parquet(rows, label="label") for name in ("data/train-0.parquet", "data/validation-0.parquet")}
    seed(hub, {**files, "data/test-0.parquet": parquet(hidden)}, "ILSVRC/imagenet-1k")
    data = load_images("imagenet-1k", "test")
    assert (len(data), data.input_size) == (9, (3, 20, 20))
    assert not hub.asked("data/test-0.parquet", "GET")


def test_gated_dataset_gives_advice(hub):
    files = {name: parquet(digit_rows(2)) for name in ("data/train-0.parquet", "data/validation-0.parquet")}
    seed(hub, files, "ILSVRC/imagenet-1k", gated=True)
    with pytest.raises(ZooError, match=r"imagenet-1k is gated; accept its terms at http.*, then log in with `hf auth"):
        load_images("imagenet-1k", "train")


@pytest.mark.parametrize("checked", [True, False])
def test_too_many_requests_are_reported_at_once(hub, monkeypatch, checked):
    seed(hub, {TRAIN: parquet(digit_rows(2)), "README.md": "pets"})
    if not checked:
        monkeypatch.setattr("zoo.data.stored.hub._check_hub_cards", lambda ref, commit: None)
    hub.fault("HEAD", "/resolve/.*README.md", 429, times=None, headers={"Retry-After": "3600"})
    with pytest.raises(ZooError, match="dataset you/pets: too many requests; try again in 3,600 seconds"):
        load_images("hf:you/pets", "all")


def test_splits_without_labels_are_ignored(hub):
    hidden = [(-1, data) for _, data in digit_rows(2)]
    seed(
        hub,
        {
            TRAIN: parquet(digit_rows(5)),
            TEST: parquet(hidden),
            "data/validation-00000-of-00001.parquet": parquet(digit_rows(2)),
        },
    )
    assert [len(load_images("hf:you/pets", split)) for split in ("train", "test", "all")] == [15, 6, 21]
    assert load_images("hf:you/pets", "all").notes == ("left out splits without labels: test.",)


def test_labels_without_names_become_the_class_names(hub):
    seed(hub, {TRAIN: parquet(digit_rows(5), plain=True), TEST: parquet(digit_rows(1), plain=True)})
    data = load_images("hf:you/pets", "train")
    assert data.classes == ("one", "two", "zero")
    assert data.labels.bincount().tolist() == [5, 5, 5]
    assert data.labels[0] == 2


def test_repository_of_image_files_is_a_dataset(hub):
    files = {}
    for split, count in (("train", 4), ("test", 1)):
        for number, (label, data) in enumerate(digit_rows(count)):
            files[f"{split}/{'abc'[label]}/{number}.png"] = data
    seed(hub, files)
    assert [len(load_images("hf:you/pets", split)) for split in ("train", "test")] == [12, 3]


def test_missing_images_are_counted_and_paths_from_a_table_are_not_followed(hub, tmp_path):
    (tmp_path / "secret.png").write_bytes(encoded(Image.new("RGB", (8, 8), "red")))
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["zero", "one", "two"])}
    )
    rows = [{"bytes": data, "path": None} for _, data in digit_rows(5)]
    columns = {
        "image": [*rows, {"bytes": None, "path": str(tmp_path / "secret.png")}, None],
        "label": [label for label, _ in digit_rows(5)] + [0, 0],
    }
    datasets.Dataset.from_dict(columns, features=features).to_parquet(
        tmp_path / "table.parquet",
    )
    seed(hub, {TRAIN: (tmp_path / "table.parquet").read_bytes(), TEST: parquet(digit_rows(1))})
    data = load_images("hf:you/pets", "train")
    assert len(data) == 15
    assert "skipped 2 unreadable images: row 15 of train (no image), row 16 of train (no image)" in data.notes[0]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"pets.py": "import os", TRAIN: b""}, r"needs its own loading script pets.py, .*@refs/convert/parquet"),
        ({"a.txt": "words"}, "expected one column of images in dataset you/pets, got the columns text"),
        ({"a.weird": "x"}, "dataset you/pets: No .*data files"),
        ({TRAIN: parquet([(0, encoded(Image.new("L", (2, 2))))])[:200]}, "dataset you/pets: "),
        ({TRAIN: parquet(digit_rows(2), column="a", label="digit")}, None),
        (
            {TRAIN: parquet(digit_rows(2), label="other", plain=True)},
            "column of class labels .* the columns image, other",
        ),
        (
            {
                "README.md": "---\nconfigs:\n- config_name: a\n  data_files: a.parquet\n"
                "- config_name: b\n  data_files: b.parquet\n---\n",
                **{name: parquet(digit_rows(2)) for name in ("a.parquet", "b.parquet")},
            },
            "expected one configuration of dataset you/pets, got several",
        ),
    ],
)
def test_unusable_datasets_give_a_clear_error(hub, files, told):
    seed(hub, files)
    if told is None:
        assert len(load_images("hf:you/pets", "all")) == 6
    else:
        with pytest.raises(ZooError, match=told) as error:
            load_images("hf:you/pets", "all")
        assert "\n" not in str(error.value)


def test_tables_of_a_local_folder_are_opened_without_the_network(hub, here, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_UPDATE_DOWNLOAD_COUNTS", True)
    sessions = []
    monkeypatch.setattr(datasets.load, "get_session", lambda: sessions.append(1))
    (here / "pets").mkdir()
    (here / "pets/a.parquet").write_bytes(parquet(digit_rows(2)))
    hub.requests.clear()
    assert len(load_images("pets", "all")) == 6
    assert not hub.requests
    assert not sessions


def test_several_label_columns_are_listed(hub, tmp_path):
    names = datasets.ClassLabel(names=["x", "y"])
    features = datasets.Features({"image": datasets.Image(), "breed": names, "colour": names})
    row = {"image": [{"bytes": digit_rows(1)[0][1], "path": None}], "breed": [0], "colour": [1]}
    datasets.Dataset.from_dict(row, features=features).to_parquet(tmp_path / "t.parquet")
    seed(hub, {TRAIN: (tmp_path / "t.parquet").read_bytes()})
    with pytest.raises(ZooError, match="one column of class labels .*, got breed, colour"):
        load_images("hf:you/pets", "all")


def test_invalid_names_are_refused():
    for name in ("hf:pets", "hf:you/pets@", "hf:../x", "nowhere", "", "x" * 5000, "digits?label=x"):
        with pytest.raises(ZooError, match="expected"):
            load_images(name, "train")


def test_large_sets_are_decoded_on_demand(hub, monkeypatch):
    seed(hub, {TRAIN: parquet(digit_rows(20)), TEST: parquet(digit_rows(2))})
    whole = load_images("hf:you/pets", "test")
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 0)
    lazy = load_images("hf:you/pets", "train")
    assert not isinstance(lazy.images, torch.Tensor)
    assert lazy.images[:].shape == (60, 3, 8, 8)
    assert lazy.images.shape[1:] == whole.images.shape[1:]
