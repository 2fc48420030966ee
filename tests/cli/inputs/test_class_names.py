"""Models of ImageNet's classes on folders that name the classes by synsets, by words, by numbers, or otherwise."""

import json

import pytest
import timm
import torch
from timm.data.imagenet_info import ImageNetInfo
from timm.models import save_for_hf

import zoo
from tests.support.image_files import write_folder

pytestmark = pytest.mark.slow

SYNSETS = ImageNetInfo().label_names()
# Places of these classes among the logits.
PLACES = {"zero": 281, "one": 7, "two": 950}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two models with 1,000 logits: one without class names, one with ImageNet's names."""
    folders = []
    for seed, names in enumerate((None, ImageNetInfo().label_descriptions())):
        torch.manual_seed(seed)
        model = timm.create_model("test_byobnet", num_classes=1000)
        model.pretrained_cfg = {**model.pretrained_cfg, "input_size": (3, 32, 32), "label_names": names}
        folders.append(str(tmp_path_factory.mktemp("model") / "test"))
        save_for_hf(model, folders[-1], safe_serialization=True)
    return folders


@pytest.fixture
def photos(tmp_path):
    """A folder of images in classes of given names."""

    def write(names):
        root = write_folder(tmp_path / "photos", side=32)
        for old, new in zip(PLACES, names, strict=True):
            (root / old).rename(root / new)
        return root

    return write


def right(model, images, places):
    """Share of images whose class has the largest logit among the classes of the images."""
    batch = zoo.images(images, "all", batch_size=1000)
    (pixels, labels, _), *_ = batch
    with torch.no_grad():
        logits = zoo.load(model)(pixels)
    return float((logits[:, [places[name] for name in batch.classes]].argmax(1) == labels).double().mean())


def compared(run, models, photos):
    return json.loads(
        run("compare", *models, "--dataset", str(photos), "--split", "all", "--json", "-", "--quiet").stdout
    )


@pytest.mark.parametrize(
    "name",
    [lambda place: SYNSETS[place], lambda place: ImageNetInfo().index_to_description(place).split(",")[-1].upper()],
    ids=["synsets", "synonyms"],
)
def test_the_classes_of_the_images_are_found_among_the_models(run, models, photos, name):
    names = {name(place).strip(): place for place in PLACES.values()}
    folder = photos(names)
    result = compared(run, models, folder)
    found = result["disagreement"]
    assert found["predicted_classes"] == []
    expected = [right(model, folder, names) for model in models]
    assert [found["accuracy_a"], found["accuracy_b"]] == pytest.approx(expected, abs=1e-6)
    assert any("its predictions are among the 3 that the data have" in note for note in result["notes"])
    assert any("taken for ImageNet's" in note for note in result["notes"])


def test_other_classes_leave_the_predictions_of_imagenet(run, models, photos):
    folder = photos(("cat", "stray dog", "sheepdog"))
    found = compared(run, models, folder)["disagreement"]
    assert (found["accuracy_a"], found["predicted_classes"][281]) == (None, "tabby, tabby cat")
    (pixels, _, _), *_ = zoo.images(folder, "all", 1000)
    with torch.no_grad():
        a, b = (zoo.load(model)(pixels).argmax(1) for model in models)
    assert found["agreement"] == pytest.approx(float((a == b).double().mean()), abs=1e-6)
