"""Commands on images of mixed sizes: models of different sizes see the same images, each as it was trained to."""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import json

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage import data as photos
from timm.data import create_transform

import zoo.data.load_split
from cli.inputs.prepare import Prepared
from tests.support.image_files import encoded
from zoo.data.image_set import ImageSet
from zoo.data.sources import load_images
from zoo.record.training import TrainingRecord

HOWS = {
    "small": {"input_size": (3, 32, 32), "crop_pct": 0.875, "interpolation": "bicubic", "crop_mode": "center"},
    "large": {"input_size": (3, 48, 40), "crop_pct": 1.0, "interpolation": "bilinear", "crop_mode": "squash"},
    "framed": {"input_size": (3, 32, 32), "crop_pct": 0.9, "interpolation": "bicubic", "crop_mode": "border"},
}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
QUICK = ("--dataset", "windows", "--split", "all", "--layers", "layer?,fc", "--json", "-")


@pytest.fixture
def models(here):
    """Three models with random weights that see images differently, and images of mixed sizes, by name."""
    for number, (name, how) in enumerate(HOWS.items()):
        torch.manual_seed(number)
        model = timm.create_model("test_resnet", num_classes=2)
        (here / name).mkdir()
        save_file(model.state_dict(), here / name / "model.safetensors")
        cfg = {**how, "mean": MEAN, "std": STD}
        config = {"architecture": "test_resnet", "num_classes": 2, "pretrained_cfg": cfg, "label_names": ["a", "b"]}
        (here / name / "config.json").write_text(json.dumps(config))
    for number in range(40):
        window = photos.chelsea()[4 * number : 130 + 2 * number, 2 * number : 280 - 3 * number]
        place = here / "windows" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:02}.png").write_bytes(encoded(Image.fromarray(window)))
    return list(HOWS)


@torch.no_grad()
def accuracy(here, name):
    """Accuracy on the files, with timm alone."""
    model = timm.create_model("test_resnet", num_classes=2, checkpoint_path=str(here / name / "model.safetensors"))
    transform = create_transform(**HOWS[name], mean=MEAN, std=STD)
    paths = sorted((here / "windows").glob("*/*"))
    images = torch.stack([transform(Image.open(path)) for path in paths])
    labels = torch.tensor(["ab".index(path.parent.name) for path in paths])
    return (model.eval()(images).argmax(1) == labels).double().mean().item()


def result(ran):
    assert ran.code == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.slow
def test_each_model_is_as_accurate_as_with_timm(run, here, models, monkeypatch):
    compared = result(run("compare", *models[:2], *QUICK, "--html", "r.html"))
    for side, name in zip("ab", models, strict=False):
        assert compared["disagreement"][f"accuracy_{side}"] == pytest.approx(accuracy(here, name), abs=1e-6)
    assert compared["baseline"] is not None
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 0)
    run("zoo", "cache", "clear")
    on_demand = result(run("compare", *models[:2], *QUICK))
    assert on_demand == compared


@pytest.mark.slow
def test_results_do_not_depend_on_other_models_or_processes(run, models):
    matrix = result(run("zoo", "matrix", *models, *QUICK, "--baseline", "none"))
    pair = result(run("compare", models[0], models[2], *QUICK, "--baseline", "none"))
    cells = next(each for each in matrix["pairs"] if (each["a"], each["b"]) == (0, 2))
    assert np.allclose(cells["cka"], pair["cka"]["ab"], atol=2e-6)
    run("zoo", "cache", "clear")
    assert result(run("zoo", "matrix", *models, *QUICK, "--baseline", "none", "--jobs", 2)) == matrix


@pytest.mark.slow
def test_a_trace_serves_comparisons_with_any_other_model(run, models, loaded):
    run("compare", models[0], models[1], *QUICK, "--baseline", "none")
    del loaded[:]
    result(run("compare", models[0], models[2], *QUICK, "--baseline", "none"))
    assert loaded == [models[2]]


@pytest.mark.slow
def test_probes_see_the_images_as_the_model_does(run, here, models):
    inspected = result(run("zoo", "inspect", models[1], *QUICK, "--part", "probes"))
    assert inspected["probes"]["model_accuracy"] == pytest.approx(accuracy(here, models[1]), abs=1e-6)


@pytest.mark.slow
def test_a_model_of_this_program_has_the_accuracy_of_its_training(run, here, models):
    ran = run("zoo", "train", "--dataset", "windows", "--depth", 8, "--width", 0.5, "--epochs", 2, "--batch-size", 16)
    assert ran.code == 0, ran.stderr
    folder = ran.stdout.strip()
    record = TrainingRecord.from_json((here / folder / "training.json").read_text())
    inspected = result(run("zoo", "inspect", folder, "--dataset", "windows", "--json", "-"))
    assert inspected["model"]["accuracy"] == pytest.approx(record.accuracy, abs=1e-6)
    assert inspected["dataset"]["fingerprint"] == record.data.test_fingerprint
    assert record.data.test_fingerprint == load_images("windows", "test").fingerprint


def test_pictures_of_a_page_come_from_the_largest_view():
    tiny, large = (ImageSet("d", "all", images, *labels()) for images in (pixels(4), pixels(64)))
    prepared = Prepared((), (tiny, large), "d", None, 4, 0, "cpu")
    assert {key: (len(image), len(image[0])) for key, image in prepared.images([1]).items()} == {1: (64, 64)}


def pixels(side):
    return torch.zeros(4, 3, side, side, dtype=torch.uint8)


def labels():
    return torch.tensor([0, 1, 0, 1]), torch.arange(4), ("a", "b")
