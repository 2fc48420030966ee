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
    assert result["disagreement"] is None


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


def test_the_cache_lists_and_clears_images_too(run, here):
    from zoo.data.sources import load_images

    load_images(str(write_folder(here / "pets")), "all")
    (kept,) = (cache_folder() / "images").iterdir()
    assert "images: 30 pets all" in run("zoo", "cache", "list").stdout
    kept.write_bytes(kept.read_bytes()[:50])
    assert "(damaged)" in run("zoo", "cache", "list").stdout
    assert "and 1 image set from" in run("zoo", "cache", "clear").stderr
