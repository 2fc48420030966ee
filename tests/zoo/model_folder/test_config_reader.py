"""config.json of timm: every pretrained configuration is accepted, and names of classes never refuse a model."""

import json

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from skimage import data
from timm.data import create_transform, resolve_data_config
from timm.models import save_for_hf

from zoo.errors import ZooError
from zoo.hub.find import find_model
from zoo.model_folder.checkpoint import load_checkpoint
from zoo.model_folder.config import class_names
from zoo.model_folder.config_reader import read_config
from zoo.model_folder.preprocess import crop_for, prepare


def write(folder, **values):
    (folder / "config.json").write_text(json.dumps(values))
    return folder


def published(name):
    """Content of config.json as timm publishes it for pretrained weights."""
    cfg = timm.get_pretrained_cfg(name).to_dict(remove_source=True)
    return {"architecture": cfg.pop("architecture"), "num_classes": cfg["num_classes"], "pretrained_cfg": cfg}


@pytest.mark.slow
def test_every_pretrained_configuration_of_timm_is_read(tmp_path):
    names = timm.list_models(pretrained=True)
    assert len(names) > 1500
    for name in names:
        values = published(name)
        config = read_config(write(tmp_path, **values))
        theirs = resolve_data_config(pretrained_cfg=values["pretrained_cfg"])
        ours = config.pretrained_cfg
        assert (config.architecture, config.num_classes) == (name.split(".")[0], values["num_classes"])
        assert {key: getattr(ours, key) for key in theirs} == theirs, name


@pytest.mark.slow
def test_every_pretrained_configuration_says_which_pixels_timm_takes(tmp_path):
    photo = Image.fromarray(data.coffee())
    different = {}
    for name in timm.list_models(pretrained=True):
        cfg = resolve_data_config(pretrained_cfg=published(name)["pretrained_cfg"])
        different[str([cfg[key] for key in ("crop_pct", "crop_mode", "interpolation")])] = name
    for name in different.values():
        values = published(name)
        how = read_config(write(tmp_path, **values)).pretrained_cfg
        transform = create_transform(**resolve_data_config(pretrained_cfg=values["pretrained_cfg"]))
        pixels = torch.from_numpy(np.array(crop_for(photo, how))).permute(2, 0, 1)
        assert torch.allclose(prepare(pixels[None], how, cropped=True)[0], transform(photo), atol=1e-5), name


@pytest.mark.parametrize(
    ("crop_mode", "crop_pct"), [("border", 0.9), ("border", 1.15), ("squash", 0.9), ("center", 1.15)]
)
def test_pixels_of_batches_are_those_of_timm_in_every_crop_mode(tmp_path, crop_mode, crop_pct):
    cfg = {"input_size": [3, 96, 96], "crop_mode": crop_mode, "crop_pct": crop_pct}
    how = read_config(write(tmp_path, architecture="resnet18", num_classes=2, pretrained_cfg=cfg)).pretrained_cfg
    transform = create_transform(**resolve_data_config(pretrained_cfg=cfg))
    photo = torch.from_numpy(data.coffee())
    errors = prepare(photo.permute(2, 0, 1)[None], how)[0] - transform(Image.fromarray(data.coffee()))
    assert (255 * torch.tensor(how.std)[:, None, None] * errors).abs().mean() < 0.5


def test_the_tag_of_an_architecture_is_left_out(tmp_path):
    model = timm.create_model("test_resnet", num_classes=3).eval()
    save_for_hf(model, tmp_path, safe_serialization=True)
    values = json.loads((tmp_path / "config.json").read_text())
    write(tmp_path, **values | {"architecture": "test_resnet.r160_in1k"})
    assert read_config(tmp_path).architecture == "test_resnet"
    pixels = torch.rand(2, 3, 160, 160)
    assert torch.equal(load_checkpoint(tmp_path)(pixels), model(pixels))


def test_a_million_classes_also_among_the_arguments(tmp_path):
    cfg = {"input_size": [3, 8, 8]}
    values = {"architecture": "resnet18", "num_classes": 10**6, "pretrained_cfg": cfg}
    for args in ({}, {"num_classes": 10**6}):
        assert read_config(write(tmp_path, **values, model_args=args)).num_classes == 10**6
    with pytest.raises(ZooError, match="num_classes must be from 0 to 1000000, got 1000001"):
        read_config(write(tmp_path, **values | {"num_classes": 10**6 + 1}))


@pytest.mark.slow
def test_weights_of_five_dimensions_load(tmp_path):
    model = timm.create_model("lambda_resnet26t", num_classes=3).eval()
    assert any(parameter.ndim == 5 for parameter in model.parameters())
    save_for_hf(model, tmp_path, safe_serialization=True)
    loaded = find_model(str(tmp_path)).load("cpu")
    assert loaded(torch.zeros(1, 3, 20, 20, dtype=torch.uint8)).shape == (1, 3)
    assert loaded.stem.conv1.conv.weight.is_contiguous(memory_format=torch.channels_last)


UNKNOWN = "config.json names its classes in an unknown form; its class names are left out."


@pytest.mark.parametrize(
    ("value", "names", "note"),
    [
        (None, None, None),
        (["cat", "dog", "emu"], ("cat", "dog", "emu"), None),
        ([3, 1, 2.5], ("3", "1", "2.5"), None),
        ({"0": "cat", "1": "dog", "2": "emu"}, ("cat", "dog", "emu"), None),
        ({"2": "emu", "0": "cat", "1": "dog"}, ("cat", "dog", "emu"), None),
        (["LABEL_0", "LABEL_1", "LABEL_2"], None, None),
        (["cat", "dog"], None, "config.json names 2 classes for 3 logits; its class names are left out."),
        ([], None, None),
        ({"cat": 0, "dog": 1, "emu": 2}, None, UNKNOWN),
        (["cat", None, "emu"], None, UNKNOWN),
        (["cat", True, "emu"], None, UNKNOWN),
        ("cat, dog, emu", None, UNKNOWN),
        ({}, None, None),
    ],
)
def test_class_names_in_any_form_are_used_or_left_out_with_a_note(tmp_path, value, names, note):
    model = timm.create_model("test_resnet", num_classes=3)
    save_for_hf(model, tmp_path, safe_serialization=True)
    values = json.loads((tmp_path / "config.json").read_text())
    config = read_config(write(tmp_path, **values | {"label_names": value}))
    assert (config.label_names, config.notes) == (names, () if note is None else (note,))
    assert load_checkpoint(tmp_path).num_classes == 3


def test_ten_and_more_classes_are_ordered_by_number():
    names = {str(number): f"c{number}" for number in reversed(range(12))}
    assert class_names(names, 12)[0] == tuple(f"c{number}" for number in range(12))
