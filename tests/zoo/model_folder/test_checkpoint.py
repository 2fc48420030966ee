import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo.errors import ZooError
from zoo.hub.fetch import resolve
from zoo.model_folder.checkpoint import load_checkpoint, save_checkpoint
from zoo.model_folder.config_reader import read_config
from zoo.record.training import TrainingRecord
from zoo.train.evaluate import predict


@pytest.fixture
def folder(trained, tmp_path):
    (tmp_path / "model").mkdir()
    save_checkpoint(tmp_path / "model", *trained)
    return tmp_path / "model"


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    for path, value in changes.items():
        *parents, name = path.split("__")
        place = config
        for parent in parents:
            place = place[parent]
        place[name] = value
    (folder / "config.json").write_text(json.dumps(config))


def test_loaded_model_gives_the_same_logits(folder, trained, digits):
    assert torch.equal(predict(load_checkpoint(folder), digits[1].images), predict(trained[0], digits[1].images))


def test_folder_holds_weights_configuration_and_record(folder, trained):
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "training.json",
    ]
    config = json.loads((folder / "config.json").read_text())
    assert config["architecture"] == "cifar_resnet"
    assert config["model_args"] == {"depth": 8, "width": 0.5, "in_chans": 1}
    assert config["label_names"] == list("0123456789")
    assert config["zoo"]["name"] == "resnet8-w0.5-digits-s0"
    record = json.loads((folder / "training.json").read_text())
    assert len(record["history"]) == len(trained[1].history)
    assert record["recipe"]["lr"] == trained[1].recipe.lr


def test_record_round_trip_is_exact(folder, trained):
    text = (folder / "training.json").read_text()
    assert TrainingRecord.from_json(text) == trained[1]
    with pytest.raises(ZooError, match="format version 1, got 7"):
        TrainingRecord.from_json(text.replace('"format_version": 1', '"format_version": 7', 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"history": [', '"history": [], "x": [', "length >= 1"),
        ('"right": ', '"right": 99', "expected at most|<="),
        ('"accuracy": ', '"accuracy": 7', "<= 1"),
        ('"depth": 8', '"depth": 9', "depth must be 6n"),
    ],
)
def test_hostile_record_is_refused(folder, old, new, message):
    text = (folder / "training.json").read_text().replace(old, new, 1)
    with pytest.raises(ZooError, match=message):
        TrainingRecord.from_json(text)


def test_reference_too_long_for_any_path_is_refused():
    with pytest.raises(ZooError, match="expected a model folder or a Hub id"):
        resolve("x" * 5000)


def test_folder_without_config_is_refused(tmp_path):
    with pytest.raises(ZooError, match="expected a model folder, but .* has no config.json; `zoo train"):
        load_checkpoint(tmp_path)


def test_reference_that_is_not_a_folder_is_refused(tmp_path):
    with pytest.raises(ZooError, match="expected a model folder or a Hub id .*nowhere'"):
        resolve(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "resnet18"}, "timm cannot load resnet18"),
        ({"architecture": ["resnet18"]}, "expected the architecture cifar_resnet or a timm architecture"),
        ({"model_args__depth": "14"}, "Expected `int`, got `str` - at `$.model_args.depth`"),
        ({"model_args__depth": 15}, "depth must be 6n+2"),
        ({"model_args__depth": 10**9}, "depth must be 6n+2, from 8 to 1202"),
        ({"model_args__width": -1}, "width must be above"),
        ({"model_args__stage_blocks": [1, 1, 2]}, "stage_blocks must be three numbers of at least 1"),
        ({"model_args__stage_blocks": [0, 1, 2]}, "stage_blocks must be three numbers of at least 1"),
        ({"model_args__stage_blocks": [10**30, 1, 1]}, "stage_blocks must be three numbers of at least 1"),
        ({"model_args__stage_blocks": [1, 1]}, "Expected `array` of length 3, got 2 - at `$.model_args.stage_blocks`"),
        ({"model_args__stage_blocks": [True, 1, 1]}, "Expected `int`, got `bool` - at `$.model_args.stage_blocks[0]`"),
        ({"model_args__stage_blocks": "111"}, "Expected `array | null`, got `str` - at `$.model_args.stage_blocks`"),
        ({"model_args__depth": 3002, "model_args__stage_blocks": [500] * 3}, "at most 1202"),
        ({"model_args__depth": 14, "model_args__stage_blocks": [1, 3, 2]}, "does not fit resnet14-1.3.2-w0.5"),
        ({"num_classes": 10**12}, "num_classes must be from 1 to 100000"),
        ({"num_classes": 11}, "expected 11 label_names, got 10"),
        ({"pretrained_cfg__input_size": [3, 8, 8]}, "input_size must be (1, height, width)"),
        ({"label_names": "abc"}, "Expected `array`, got `str`"),
        ({"zoo": None}, "Expected `object`, got `null` - at `$.zoo`"),
        ({"zoo__format_version": 2}, "expected format version 1, got 2; update"),
        ({"zoo": {"format_version": 2}}, "expected format version 1, got 2; update"),
        ({"pretrained_cfg__mean": [0.1, 0.2, 0.3]}, "a mean and a positive std per channel"),
        ({"pretrained_cfg__std": [0]}, "a mean and a positive std per channel"),
    ],
)
def test_hostile_or_broken_config_is_refused_before_anything_is_built(folder, change, message):
    edit_config(folder, **change)
    with pytest.raises(ZooError, match=re.escape(message).replace(r"\.\*", ".*")):
        load_checkpoint(folder)


@pytest.mark.parametrize("text", ["", "not json", "[1]", "{}", "\x00\xff", '{"a": "\xff"}', '{"a":' + "[" * 200_000])
def test_invalid_config_is_refused(folder, text):
    (folder / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(ZooError, match=r"config\.json"):
        read_config(folder)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_truncated_weights_are_refused(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ZooError, match="is damaged"):
        load_checkpoint(folder)


def test_missing_weights_are_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ZooError, match="expected weights in .*, but there is no such file"):
        load_checkpoint(folder)


def test_weights_of_another_model_are_refused_with_the_name_of_a_tensor(folder):
    save_file({"fc.weight": torch.zeros(2, 2)}, folder / "model.safetensors")
    with pytest.raises(ZooError, match="does not fit resnet8-w0.5: expected"):
        load_checkpoint(folder)


@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64, torch.float16])
def test_weights_of_another_type_are_refused(folder, dtype):
    weights = {name: tensor.to(dtype) for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ZooError, match="as F32 of shape .*, got "):
        load_checkpoint(folder)


def test_config_cannot_request_more_memory_than_its_weights(folder):
    classes = [str(i) for i in range(100_000)]
    edit_config(folder, model_args__depth=1202, model_args__width=64, num_classes=100_000, label_names=classes)
    with pytest.raises(ZooError, match="does not fit resnet1202-w64"):
        load_checkpoint(folder)


def test_weights_of_another_width_are_refused(folder):
    edit_config(folder, model_args__width=1.0)
    with pytest.raises(ZooError, match=r"does not fit resnet8-w1: expected .* as F32 of shape .*, got F32 of shape"):
        load_checkpoint(folder)


def test_pickled_weights_are_never_read(folder):
    weights = load_file(folder / "model.safetensors")
    shutil.move(folder / "model.safetensors", folder / "elsewhere")
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ZooError, match="expected weights"):
        load_checkpoint(folder)
