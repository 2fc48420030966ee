"""timm models from untrusted folders: valid ones load, others give a clear error."""

import json
import struct

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.data import create_transform, resolve_model_data_config
from timm.models import save_for_hf

from zoo.errors import ZooError
from zoo.hub.find import find_model
from zoo.model_folder.checkpoint import load_checkpoint
from zoo.model_folder.config_reader import read_config


def save(folder, **arguments):
    torch.manual_seed(0)
    model = timm.create_model("resnet18", channels=(8, 8, 16, 16), num_classes=10, **arguments).eval()
    save_for_hf(model, folder, safe_serialization=True)
    return model


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "t")
    return tmp_path / "t"


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_images_are_preprocessed_as_by_timm(tmp_path, generator):
    theirs = save(tmp_path / "t")
    transform = create_transform(**resolve_model_data_config(theirs), is_training=False)
    images = (torch.rand(3, 3, 40, 40, generator=generator) * 255).to(torch.uint8)
    with torch.no_grad():
        expected = theirs(torch.stack([transform(Image.fromarray(x.permute(1, 2, 0).numpy())) for x in images]))
        found = find_model(str(tmp_path / "t")).load("cpu")(images)
    # Bicubic resizing in PIL rounds between its two passes.
    assert (found - expected).abs().max() < 0.02 * expected.std()


def test_one_channel_and_a_vision_transformer_load_too(tmp_path):
    save(tmp_path / "grey", in_chans=1)
    assert read_config(tmp_path / "grey").pretrained_cfg.input_size[0] == 1
    assert find_model(str(tmp_path / "grey")).load("cpu")(torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).shape == (2, 10)
    vit = timm.create_model("vit_tiny_patch16_224", num_classes=3)
    save_for_hf(vit, tmp_path / "vit", safe_serialization=True)
    loaded = load_checkpoint(tmp_path / "vit")
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), vit.parameters(), strict=True))


def test_class_names_are_read_if_present(folder):
    assert read_config(folder).label_names is None
    edit(folder, label_names=[f"c{i}" for i in range(10)])
    assert read_config(folder).label_names[9] == "c9"


def test_the_layout_of_older_versions_is_read(folder):
    config = json.loads((folder / "config.json").read_text())
    old = {"architecture": "resnet18", "num_classes": 10, "labels": [f"c{i}" for i in range(10)]}
    old |= config["pretrained_cfg"]
    (folder / "config.json").write_text(json.dumps(old))
    found = read_config(folder)
    assert (found.architecture, found.num_classes, found.label_names[3]) == ("resnet18", 10, "c3")
    assert found.pretrained_cfg.crop_pct == 0.95


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "resnet50"}, "describes a resnet50 of"),
        ({"model_args": {"channels": [8, 8, 16, 8]}}, "timm cannot load resnet18"),
        ({"model_args": {"channels": [8, 8, 8000, 8000]}}, "describes a resnet18 of .* parameters, but"),
        ({"model_args": {"layers": [8000] * 4}}, "at most 10,000 modules"),
        ({"model_args": {"nonsense": 1}}, "timm cannot load resnet18"),
        ({"model_args": {"layers": "abc"}}, "timm cannot load resnet18"),
        ({"model_args": {"channels": [-8, 8, 8, 8]}}, "timm cannot load resnet18"),
        ({"model_args": {"act_layer": "os.system"}}, "timm cannot load resnet18"),
        ({"num_classes": 11, "model_args": {"channels": [8, 8, 16, 8]}}, "timm cannot load resnet18"),
        ({"model_args": "x"}, "Expected `object"),
        ({"model_args": {"num_classes": True}}, "expected equal num_classes"),
        ({"pretrained_cfg": []}, "not a model configuration"),
        ({"pretrained_cfg": {"input_size": [3, 8, 8], "interpolation": "box"}}, "Invalid enum value 'box'"),
        ({"pretrained_cfg": {"input_size": [3, 8, 8], "crop_mode": "left"}}, "Invalid enum value 'left'"),
        ({"pretrained_cfg": {"input_size": [3, 8]}}, "length 3"),
        ({"pretrained_cfg": {"input_size": [3, 8, 8], "std": [0, 1, 1]}}, "a positive std per channel"),
    ],
)
def test_hostile_or_broken_configuration_gives_a_clear_error(folder, changes, message):
    edit(folder, **changes)
    with pytest.raises(ZooError, match=message) as raised:
        load_checkpoint(folder)
    assert "\n" not in str(raised.value)


def test_images_that_do_not_fit_the_architecture_give_a_clear_error(tmp_path):
    save_for_hf(
        timm.create_model("vit_tiny_patch16_224", depth=1, num_classes=3), tmp_path / "v", safe_serialization=True
    )
    edit(tmp_path / "v", pretrained_cfg={"input_size": [3, 8, 8]})
    with pytest.raises(ZooError, match=r"input_size \(3, 8, 8\) does not fit vit_tiny_patch16_224"):
        load_checkpoint(tmp_path / "v")


def test_only_safetensors_are_read(folder):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ZooError, match="expected weights"):
        load_checkpoint(folder)


def header(text, rest=b""):
    return struct.pack("<Q", len(text)) + text + rest


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        b"\x00" * 7,
        b"\xff" * 8,
        struct.pack("<Q", 2**62) + b"{}",
        header(b"{"),
        header(b"[1, 2]"),
        header(b'{"a": 1}'),
        header(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', b"\0" * 4),
        header(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4000]}}', b"\0" * 4),
        header(b'{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}', b"\0" * 4),
        header(b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', b"\0" * 4),
        header(b'{"../../a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', b"\0" * 4),
        header(b"{}"),
    ],
)
def test_hostile_weights_give_a_clear_error(folder, weights):
    (folder / "model.safetensors").write_bytes(weights)
    with pytest.raises(ZooError, match="is damaged|timm cannot load resnet18|describes a resnet18"):
        load_checkpoint(folder)


def test_random_damage_always_gives_a_clear_error(folder):
    path = folder / "model.safetensors"
    whole, random = path.read_bytes(), torch.Generator().manual_seed(0)
    size = int.from_bytes(whole[:8], "little")
    for _ in range(60):
        place, value = (int(torch.randint(0, most, (), generator=random)) for most in (size + 8, 256))
        path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
        try:
            load_checkpoint(folder)
        except ZooError as error:
            assert "\n" not in str(error)


def test_half_precision_weights_are_taken_as_they_are(folder):
    path = folder / "model.safetensors"
    save_file({name: t.half() if t.is_floating_point() else t for name, t in load_file(path).items()}, path)
    assert next(load_checkpoint(folder).parameters()).dtype == torch.float32
