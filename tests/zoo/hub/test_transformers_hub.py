"""Models of transformers on the Hub: all their files, each only once, and nothing of models that cannot be opened."""

import json

import pytest
import torch
from huggingface_hub import constants

from tests.support.transformers_models import save_model
from zoo.errors import ZooError
from zoo.hub.fetch import pin, weights_digest
from zoo.hub.find import find_model
from zoo.hub.load import load, pull
from zoo.hub.ref import parse_ref


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of a model whose weights are in several files."""
    folder = tmp_path_factory.mktemp("vit")
    save_model("ViTForImageClassification", folder, max_shard_size="20KB")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def downloads(hub):
    return [request.path.rsplit("/", 1)[1] for request in hub.asked("/resolve/", "HEAD")]


def test_a_model_in_several_files_is_downloaded_once_and_pinned(hub, files, monkeypatch):
    hub.seed("google/vit", files | {"pytorch_model.bin": b"pickle", "modeling.py": b"1/0"})
    digest = weights_digest(pin(parse_ref("google/vit")))
    model = find_model("hf://google/vit@main")
    assert sorted(downloads(hub)) == sorted(files)
    assert model.config.architecture == "transformers ViTForImageClassification"
    assert model.sha256 == digest
    assert model.load("cpu")(torch.zeros(2, 3, 50, 60, dtype=torch.uint8)).shape == (2, 5)
    requests = len(downloads(hub))
    find_model("google/vit")
    assert len(downloads(hub)) == requests
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert find_model("google/vit").sha256 == digest


def test_a_pulled_model_is_complete(hub, files, tmp_path):
    hub.seed("google/vit", files | {"README.md": b"# ViT", "tf_model.h5": b"x"})
    folder = pull("google/vit", tmp_path / "vit")
    assert {path.name for path in folder.iterdir()} == {*files, "README.md"}
    images = torch.zeros(2, 3, 50, 60, dtype=torch.uint8)
    assert torch.equal(load(folder)(images), load("google/vit")(images))
    pull("google/vit", folder, force=True)


def test_a_damaged_part_is_deleted(hub, files):
    hub.seed("google/vit", files)
    hub.corrupt("/lfs/")
    with pytest.raises(ZooError, match=r"google/vit: model-.*safetensors is damaged"):
        find_model("google/vit")
    assert find_model("google/vit").load("cpu")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["BertModel"]}, "a transformers BertModel, which takes no images"),
        ({"architectures": ["MyModel"], "auto_map": {"AutoModel": "x.MyModel"}}, "Code from the Hub is never run"),
        ({"id2label": {str(number): "x" for number in range(10)}, "architectures": []}, "length 1"),
    ],
)
def test_no_weights_of_a_model_that_cannot_be_opened_are_downloaded(hub, files, changes, message):
    config = json.loads(files["config.json"]) | changes
    hub.seed("google/vit", files | {"config.json": json.dumps(config)})
    with pytest.raises(ZooError, match=message):
        find_model("google/vit")
    assert not [name for name in downloads(hub) if name.endswith("safetensors")]


@pytest.mark.parametrize("part", ["../x.safetensors", "/etc/x.safetensors", "more/x.safetensors", "x.bin"])
def test_a_part_elsewhere_is_refused(hub, files, part):
    index = json.dumps({"weight_map": {"x": part}})
    hub.seed("google/vit", files | {"model.safetensors.index.json": index})
    with pytest.raises(ZooError, match=f"expected 1 to 1000 names of .safetensors files in .*got '{part}'"):
        find_model("google/vit")


def test_missing_files_are_named(hub, files):
    without = {name: data for name, data in files.items() if name != "preprocessor_config.json"}
    hub.seed("google/vit", without)
    with pytest.raises(ZooError, match="expected the preprocessing of images in preprocessor_config.json"):
        find_model("google/vit")
    small = {name: data for name, data in files.items() if not name.startswith("model")}
    hub.seed("google/small", small | {"pytorch_model.bin": b"x"})
    with pytest.raises(
        ZooError, match=r"expected weights in model.safetensors of google/small, got only pytorch_model.bin"
    ):
        find_model("google/small")


def test_models_are_shown_without_their_weights(hub, files, run):
    hub.seed("google/vit", files)
    shown = run("zoo", "show", "google/vit")
    assert shown.code == 0
    assert "transformers ViTForImageClassification" in shown.stdout
    assert "5: cat, dog, emu, fox, gnu" in shown.stdout
    assert weights_digest(pin(parse_ref("google/vit"))) in shown.stdout
    assert not [name for name in downloads(hub) if name.endswith(".safetensors")]
