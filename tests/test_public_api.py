"""The public names of the packages: they exist, load late, and their examples run."""

import copy
import doctest
import json
import pickle
import shutil
import subprocess
import sys

import pytest
import torch
from sklearn.datasets import load_digits

import zoo
from compare.engine.notes import FEWEST_FOR_PC1
from compare.engine.pair import compare_models
from tests.support.image_files import write_folder
from zoo.data.batches import default_batch_size
from zoo.errors import ZooError

NAMES = {"__version__", "images", "load", "pull", "push", "resolve", "train_model", "variants"}
HEAVY = {"torch", "numpy", "timm", "huggingface_hub", "datasets", "safetensors", "msgspec", "importlib.metadata"}


def modules_after(code):
    ran = subprocess.run([sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"], capture_output=True)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.decode().split())


def test_names_are_listed_and_exist():
    assert set(zoo.__all__) == NAMES
    assert set(dir(zoo)) >= NAMES
    for name in NAMES:
        assert getattr(zoo, name)
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'nothing'"):
        _ = zoo.nothing


def test_import_loads_nothing_heavy():
    assert not modules_after("import zoo; dir(zoo)") & HEAVY


def test_version_and_variants_need_no_torch():
    assert not modules_after("import zoo; zoo.__version__, zoo.variants()") & {"torch", "numpy", "timm"}


@pytest.mark.parametrize("name", sorted(NAMES - {"__version__"}))
def test_examples_run(name, here):
    value = getattr(zoo, name)
    for section in ("Args:", "Returns:", "Raises:", "Example:"):
        assert section in value.__doc__, section
    (example,) = doctest.DocTestFinder(recurse=False).find(value, name, module=False, globs={})
    assert example.examples
    results = doctest.DocTestRunner(verbose=False).run(example)
    assert results.failed == 0
    assert not list(here.iterdir())


def test_variants_are_those_of_both_families():
    names = [variant.name for variant in zoo.variants()]
    assert len(names) == len(set(names)) == 9 * 5 + 12 * 3
    assert [*zoo.variants("cifar"), *zoo.variants("imagenet")] == list(zoo.variants())
    with pytest.raises(ZooError, match="family must be cifar or imagenet, got 'other'"):
        zoo.variants("other")


def test_images_are_sized_scaled_and_named(here):
    batches = zoo.images("digits", max_examples=50, batch_size=20)
    first, second = (torch.cat([indices for _, _, indices in batches]) for _ in range(2))
    assert (len(batches), batches.classes, len(first)) == (3, tuple("0123456789"), 50)
    assert sorted(first.tolist()) == sorted(second.tolist())
    assert not torch.equal(first, second)
    images, labels, indices = next(iter(batches))
    assert (images.dtype, float(images.min()), float(images.max())) == (torch.float32, 0, 1)
    index = int(indices[0])
    assert batches.path(index) is None
    assert abs(images[0].flatten().numpy() - load_digits().data[batches.row(index)] / 16).max() < 0.002
    assert torch.equal(batches.image(index) / 255, images[0])
    for find in (batches.path, batches.image):
        with pytest.raises(KeyError):
            find(1000)
    with pytest.raises(ZooError, match="batch_size must be at least 1"):
        zoo.images("digits", batch_size=0)


@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_images_in_folders_know_their_files(here, split):
    root = write_folder(here / "pets", per_class=20)
    for _ in range(2):  # decoded, then cached
        batches = zoo.images(root, split, max_examples=8)
        for _, labels, indices in batches:
            for label, index in zip(labels.tolist(), indices.tolist(), strict=True):
                path = batches.path(index)
                assert (root / path).is_file()
                assert batches.row(index) is None
                assert path.split("/")[0] == batches.classes[label]


def test_models_take_floats_and_bytes_of_any_size_alike(folders):
    model = zoo.load(folders[0])
    for size in ((8, 8), (20, 30)):
        pixels = torch.randint(0, 256, (4, 1, *size), dtype=torch.uint8)
        scaled = pixels / 255
        copied = scaled.clone()
        assert torch.equal(model(scaled), model(pixels))
        assert torch.equal(scaled, copied)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert torch.equal(other(pixels), model(pixels))
    with pytest.raises(ZooError, match=r"expected images of shape \(n, 1, height, width\), got \(4, 3, 8, 8\)"):
        model(torch.zeros(4, 3, 8, 8))
    with pytest.raises(ZooError, match="expected uint8 images or float images in .0, 1., got torch.int64"):
        model(torch.zeros(4, 1, 8, 8, dtype=torch.int64))


def test_comparison_in_python_is_that_of_the_command(folders, run, here):
    a, b = folders
    ran = run("compare", a, b, "--json", "result.json")
    assert ran.code == 0, ran.stderr
    expected = json.loads((here / "result.json").read_text())
    result = json.loads(compare_models(zoo.load(a), zoo.load(b), zoo.images("digits")).to_json())
    assert result["cka"] == expected["cka"]
    assert result["disagreement"]["examples"] == expected["disagreement"]["examples"]


def test_smallest_default_batch_is_what_compare_needs():
    for examples in (1, 31, 191, 192):
        assert default_batch_size(examples) == FEWEST_FOR_PC1
    assert default_batch_size(193) > FEWEST_FOR_PC1


def test_training_adapts_an_architecture_to_a_named_dataset(brief, here):
    (variant,) = zoo.variants("cifar", depths=[8], widths=[0.5])
    model, record = zoo.train_model(variant, "digits", epochs=1, out="models/tiny")
    assert (record.variant.in_chans, record.recipe.lr, len(record.history)) == (1, 0.1, 1)
    images = torch.rand(2, 1, 8, 8)
    assert torch.allclose(zoo.load("models/tiny")(images), model(images), atol=1e-5)
    with pytest.raises(ZooError, match="expected a new folder, but models/tiny exists"):
        zoo.train_model(variant, "digits", epochs=1, out="models/tiny")
    with pytest.raises(ZooError, match="expected test images beside the training images"):
        zoo.train_model(variant, zoo.images("digits").data, recipe=brief)


@pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
def test_pull_writes_a_folder_that_loads(folders, hub, here):
    zoo.push(shutil.copytree(folders[0], here / "mine"), "me/tiny", tag="v1")
    out = zoo.pull("me/tiny@v1", out="models/theirs")
    images = torch.rand(2, 1, 8, 8)
    assert torch.equal(zoo.load(out)(images), zoo.load("me/tiny")(images))
    assert zoo.pull("me/tiny") == zoo.resolve("me/tiny")
    with pytest.raises(ZooError, match="expected a Hub id OWNER/NAME, got the folder models/theirs"):
        zoo.pull("models/theirs")
