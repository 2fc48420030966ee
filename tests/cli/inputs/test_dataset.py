"""`--dataset` from the command line: folders of images and data sets of the Hub, from training to a report."""

import json

import datasets
import pytest
from huggingface_hub import ModelCard
from PIL import Image

from tests.support.image_files import digit_rows, encoded, parquet, write_folder
from zoo.base.cache_folder import cache_folder
from zoo.record.training import TrainingRecord

QUICK = ("--depth", 8, "--width", 0.5, "--epochs", 2, "--lr", 0.05, "--batch-size", 32)


@pytest.mark.slow
def test_a_folder_from_training_to_a_comparison(run, here):
    write_folder(here / "my pets", per_class=40)
    (here / "my pets/one/bad.png").write_text("no image")
    for seed in (0, 1):
        ran = run("zoo", "train", "--dataset", "my pets", "--seed", seed, "--subset", "1/2", *QUICK)
        assert ran.code == 0, ran.stderr
        assert "my pets, train: no test split; a fifth" in ran.stderr
        assert ran.stderr.count("skipped 1 unreadable image: one/bad.png (not an image).") == 1
    a, b = "models/resnet8-w0.5-my-pets-1of2-s0", "models/resnet8-w0.5-my-pets-1of2-s1"
    record = TrainingRecord.from_json((here / a / "training.json").read_text())
    assert (record.data.name, record.data.input_size, record.data.classes) == (
        "my pets",
        (3, 8, 8),
        ("one", "two", "zero"),
    )
    assert ModelCard.load(here / a / "README.md").data.datasets == ["my-pets"]
    ran = run("compare", a, b, "--json", "own.json")
    assert ran.code == 0, ran.stderr
    assert json.loads((here / "own.json").read_text())["dataset"]["name"] == "my pets"
    ran = run("compare", a, b, "--dataset", here / "my pets", "--split", "all", "--json", "all.json")
    assert ran.code == 0, ran.stderr
    whole = json.loads((here / "all.json").read_text())["dataset"]
    assert (whole["name"], whole["split"], whole["examples"]) == ("my pets", "all", 120)
    for command in (("inspect", a, "--part", "probes", "--part", "deletion"), ("card", a)):
        ran = run("zoo", *command)
        assert ran.code == 0, ran.stderr


@pytest.mark.slow
def test_images_of_another_set_and_size_are_shown_to_models_of_digits(run, here, folders):
    root = write_folder(here / "pets", per_class=12, side=120, mode="L")
    (root / "one/wide.png").write_bytes(encoded(Image.new("L", (200, 130))))
    ran = run("compare", *folders, "--dataset", "pets", "--split", "all", "--html", "r.html", "--json", "r.json")
    assert ran.code == 0, ran.stderr
    assert (
        "pets, all: images differ in size; each model sees them resized and cropped by its own preprocessing"
        in ran.stderr
    )
    result = json.loads((here / "r.json").read_text())
    assert result["dataset"]["classes"] == ["one", "two", "zero"]
    assert result["disagreement"]["agreement"] > 0
    assert result["disagreement"]["accuracy_a"] is None


@pytest.mark.slow
def test_a_data_set_of_the_hub_from_training_to_a_comparison(hub, run, here, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", here / "datasets")
    files = {"data/train-00000-of-00001.parquet": digit_rows(40), "data/test-00000-of-00001.parquet": digit_rows(8)}
    hub.seed("you/pets", {name: parquet(rows) for name, rows in files.items()}, kind="dataset", tag="v1")
    ran = run("zoo", "train", "--dataset", "hf:you/pets@v1", *QUICK)
    assert ran.code == 0, ran.stderr
    folder = "models/resnet8-w0.5-pets-s0"
    assert ran.stdout == f"{folder}\n"
    assert ModelCard.load(here / folder / "README.md").data.datasets == ["you/pets"]
    ran = run("compare", folder, folder, "--json", "r.json")
    assert ran.code == 0, ran.stderr
    dataset = json.loads((here / "r.json").read_text())["dataset"]
    assert (dataset["name"], dataset["examples"]) == ("hf:you/pets@v1", 24)


@pytest.mark.slow
def test_mnist_digits_from_training_to_a_comparison_with_a_model_of_digits(run, here, folders):
    ran = run("zoo", "train", "--dataset", "mnist5k:8", *QUICK, "--subset", "1/4")
    assert ran.code == 0, ran.stderr
    folder = "models/resnet8-w0.5-mnist5k-8-1of4-s0"
    assert ran.stdout == f"{folder}\n"
    ran = run("compare", folder, folders[0], "--json", "r.json")
    assert ran.code == 0, ran.stderr
    result = json.loads((here / "r.json").read_text())
    assert (result["dataset"]["name"], result["dataset"]["examples"]) == ("mnist5k:8", 1000)
    assert result["disagreement"] is not None


@pytest.mark.slow
def test_columns_of_a_table_from_training_to_a_comparison(run, here, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", here / "datasets")
    write_labels(here / "pets/train.parquet", digit_rows(20))
    ran = run("zoo", "train", "--dataset", "pets", *QUICK)
    assert ran.code == 1
    assert "got the columns image, digit, even; choose one with --label-column" in ran.stderr
    for column in ("digit", "even"):
        ran = run("zoo", "train", "--dataset", "pets", "--label-column", column, *QUICK)
        assert ran.code == 0, ran.stderr
    folder = "models/resnet8-w0.5-pets-even-s0"
    assert ran.stdout == f"{folder}\n"
    named = run("compare", folder, folder, "--dataset", "pets", "--label-column", "even", "--json", "a.json")
    own = run("compare", folder, folder, "--json", "b.json")
    assert (named.code, own.code) == (0, 0), own.stderr
    dataset = json.loads((here / "a.json").read_text())["dataset"]
    assert (dataset["name"], dataset["classes"]) == ("pets?label=even", ["no", "yes"])
    assert json.loads((here / "b.json").read_text())["dataset"] == dataset
    ran = run("compare", folder, folder, "--label-column", "even")
    assert (ran.code, ran.stderr) == (2, "Error: --image-column and --label-column need --dataset.\n")


def write_labels(path, rows):
    """Write a table of images with two columns of labels."""
    columns = {
        "image": [{"bytes": data, "path": None} for _, data in rows],
        "digit": [str(label) for label, _ in rows],
        "even": ["no" if label % 2 else "yes" for label, _ in rows],
    }
    text = datasets.Value("string")
    features = datasets.Features({"image": datasets.Image(), "digit": text, "even": text})
    path.parent.mkdir()
    datasets.Dataset.from_dict(columns, features=features).to_parquet(path)


@pytest.mark.slow
def test_a_class_without_test_images_and_names_that_are_not_utf8_from_training_to_a_report(run, here):
    train, test = (write_folder(here / "pets" / split, 10, classes) for split, classes in (("Train", 3), ("Test", 2)))
    for root in (train, test):
        (root / "one").rename(root / "un\udce9")
    next((test / "zero").iterdir()).rename(test / "zero/caf\udce9.png")
    for seed in (0, 1):
        ran = run("zoo", "train", "--dataset", "pets", "--seed", seed, *QUICK)
        assert ran.code == 0, ran.stderr
        assert "pets, test: no images of 1 of 3 classes: two." in ran.stderr
    folder, other = "models/resnet8-w0.5-pets-s0", "models/resnet8-w0.5-pets-s1"
    assert "| two | 0 | 0 | - |" in (here / folder / "README.md").read_text()
    assert run("zoo", "show", folder).code == 0
    ran = run("compare", folder, other, "--json", "r.json", "--html", "r.html", "--export", "r.csv")
    assert ran.code == 0, ran.stderr
    result = json.loads((here / "r.json").read_text())
    assert result["dataset"]["classes"] == ["two", "un\ufffd", "zero"]
    assert result["disagreement"]["classes"][0]["accuracy_a"] is None
    for name in ("r.html", "r.csv"):
        assert "\ufffd" in (here / name).read_text(encoding="utf-8")


def test_the_cache_lists_and_clears_images_too(run, here):
    from zoo.data.sources import load_images

    load_images(str(write_folder(here / "pets")), "all")
    (kept,) = (cache_folder() / "images").iterdir()
    assert "images: 30 pets all" in run("zoo", "cache", "list").stdout
    kept.write_bytes(kept.read_bytes()[:50])
    assert "(damaged)" in run("zoo", "cache", "list").stdout
    assert "and 1 image set from" in run("zoo", "cache", "clear").stderr
