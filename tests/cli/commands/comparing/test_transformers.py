"""Models of transformers are compared with those of timm, on photos of different sizes."""

import json

import numpy as np
import pytest
import timm
from PIL import Image
from skimage import data
from timm.models import save_for_hf

from tests.support.transformers_models import save_model

NAMES = {0: "cat", 1: "coffee"}


@pytest.fixture
def photos(tmp_path):
    """Pieces of two photos, of different sizes, in a folder per class."""
    random = np.random.default_rng(0)
    for name, photo in (("cat", data.chelsea()), ("coffee", data.coffee())):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for number in range(40):
            height, width = random.integers(40, 90, 2)
            top, left = random.integers(0, 150, 2)
            Image.fromarray(photo[top : top + height, left : left + width]).save(folder / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.slow
def test_a_model_of_transformers_is_compared_with_one_of_timm(tmp_path, photos, run, hub):
    save_model("ResNetForImageClassification", tmp_path / "theirs", names=NAMES)
    model = timm.create_model("test_resnet", num_classes=2)
    save_for_hf(model, tmp_path / "timm", model_config={"label_names": ["coffee"]}, safe_serialization=True)
    hub.seed("microsoft/resnet", {path.name: path.read_bytes() for path in (tmp_path / "theirs").iterdir()})
    results = []
    for first in ("hf://microsoft/resnet", tmp_path / "theirs"):
        out = tmp_path / "result.json"
        ran = run("compare", first, tmp_path / "timm", "--dataset", photos, "--layers", "blocks", "--json", out)
        assert ran.code == 0, ran.stderr
        results.append(json.loads(out.read_text()))
    of_hub, of_folder = results
    assert of_hub["models"]["a"]["architecture"] == "transformers ResNetForImageClassification"
    assert of_hub["models"]["a"]["layers"]
    assert of_hub["models"]["a"]["accuracy"] is not None
    assert of_hub["cka"] == of_folder["cka"]
    assert of_hub["models"]["a"]["sha256"] == of_folder["models"]["a"]["sha256"]
    assert of_hub["baseline"]["a"]["untrained"] is not None
    note = "timm: config.json names 1 class for 2 logits; its class names are left out."
    assert note in of_hub["notes"]


def test_a_result_is_computed_again_if_only_the_preprocessing_changes(tmp_path, photos, run):
    save_model("ViTForImageClassification", tmp_path / "a", names=NAMES)
    save_model("ResNetForImageClassification", tmp_path / "b", names=NAMES)
    options = ("--dataset", photos, "--layers", "blocks", "--baseline", "none", "--json", tmp_path / "result.json")
    cells = []
    for mean in (0.5, 0.1):
        path = tmp_path / "a" / "preprocessor_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"image_mean": [mean] * 3}))
        assert run("compare", tmp_path / "a", tmp_path / "b", *options).code == 0
        cells.append(json.loads((tmp_path / "result.json").read_text())["cka"]["ab"])
    assert cells[0] != cells[1]
