import json
import re
import shutil
import stat

import pytest
import torch
from safetensors.torch import load_file, save_file

from cards.model_card import model_card
from zoo.checkpoint import file_sha256, load_checkpoint, read_config, save_checkpoint
from zoo.errors import ZooError
from zoo.hub import resolve
from zoo.train import predict


@pytest.fixture
def folder(trained, tmp_path):
    save_checkpoint(tmp_path / "model", *trained, model_card(trained[1]))
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


def test_folder_holds_weights_configuration_record_and_card(folder, trained):
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
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


def test_files_can_be_read_by_others(folder):
    for path in (folder, *folder.iterdir()):
        assert path.stat().st_mode & stat.S_IRGRP


def test_nothing_but_the_folder_is_left_beside_it(folder):
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_existing_folder_is_refused_and_left_as_it_was(folder, trained):
    before = file_sha256(folder / "model.safetensors")
    with pytest.raises(ZooError, match="exists; choose another --out, or replace it with --force"):
        save_checkpoint(folder, *trained, "")
    assert file_sha256(folder / "model.safetensors") == before


def test_force_replaces_a_model_folder_only(folder, trained, tmp_path):
    save_checkpoint(folder, *trained, "new card", force=True)
    assert (folder / "README.md").read_text() == "new card"
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    with pytest.raises(ZooError, match="--force replaces model folders only"):
        save_checkpoint(tmp_path / "thesis", *trained, "", force=True)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "mine"


def test_failure_while_writing_leaves_nothing_new_and_the_old_folder(folder, trained):
    with pytest.raises(TypeError):
        save_checkpoint(folder, *trained, card=None, force=True)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    assert load_checkpoint(folder)


def test_folder_without_config_is_refused(tmp_path):
    with pytest.raises(ZooError, match="expected a model folder with config.json.*`zoo train --out FOLDER` writes one"):
        load_checkpoint(tmp_path)


def test_reference_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(ZooError, match="expected a model folder, got .*nowhere"):
        resolve(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "resnet18"}, "expected the architecture cifar_resnet.*got 'resnet18'"),
        ({"model_args__depth": "14"}, "Expected `int`, got `str` - at `$.model_args.depth`"),
        ({"model_args__depth": 15}, "depth must be 6n+2"),
        ({"model_args__depth": 10**9}, "depth must be 6n+2, from 8 to 1202"),
        ({"model_args__width": -1}, "width must be above"),
        ({"num_classes": 10**12}, "num_classes must be from 1 to 100000"),
        ({"num_classes": 11}, "expected 11 label_names, got 10"),
        ({"pretrained_cfg__input_size": [3, 8, 8]}, "input_size must be (1, height, width)"),
        ({"label_names": "abc"}, "Expected `array`, got `str`"),
        ({"zoo": None}, "Expected `object`, got `null` - at `$.zoo`"),
        ({"zoo__format_version": 2}, "expected format version 1, got 2"),
    ],
)
def test_hostile_or_broken_config_is_refused_before_anything_is_built(folder, change, message):
    edit_config(folder, **change)
    with pytest.raises(ZooError, match=re.escape(message).replace(r"\.\*", ".*")):
        load_checkpoint(folder)


@pytest.mark.parametrize("text", ["", "not json", "[1]", "{}", "\x00\xff"])
def test_config_that_is_no_configuration_is_refused(folder, text):
    (folder / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(ZooError, match=r"config\.json"):
        read_config(folder)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_truncated_weights_are_refused(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ZooError, match="no whole safetensors file"):
        load_checkpoint(folder)


def test_missing_weights_are_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ZooError, match="expected the weights .* got none"):
        load_checkpoint(folder)


def test_weights_of_another_model_are_refused_with_the_tensor_that_differs(folder):
    save_file({"fc.weight": torch.zeros(2, 2)}, folder / "model.safetensors")
    with pytest.raises(ZooError, match="weights of another model than resnet8-w0.5: expected"):
        load_checkpoint(folder)
    edit_config(folder, model_args__width=1.0)


def test_weights_of_another_width_are_refused(folder):
    edit_config(folder, model_args__width=1.0)
    with pytest.raises(ZooError, match=r"than resnet8-w1: expected .* of shape .*, got of shape"):
        load_checkpoint(folder)


def test_pickled_weights_are_never_read(folder):
    weights = load_file(folder / "model.safetensors")
    shutil.move(folder / "model.safetensors", folder / "elsewhere")
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ZooError, match="expected the weights"):
        load_checkpoint(folder)
