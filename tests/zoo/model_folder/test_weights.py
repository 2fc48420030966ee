"""Weights files are checked before they are parsed."""

import json
import os
import shutil
import time

import pytest

from zoo.errors import ZooError
from zoo.hub.find import find_model
from zoo.model_folder.weights import weight_files

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + 64 * "0" + "\nsize 123\n"


def with_tensors(count, padding=0):
    header = {f"{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(count)}
    text = json.dumps(header).encode() + padding * b" "
    return len(text).to_bytes(8, "little") + text


FOLDERS = {
    "a pointer": ({"model.safetensors": POINTER.encode()}, "is only a pointer of git-lfs"),
    "a pickle": ({"pytorch_model.bin": b"x"}, "got only pytorch_model.bin, and only .safetensors files are read"),
    "TensorFlow": ({"tf_model.h5": b"x"}, "got only tf_model.h5"),
    "nothing": ({}, "expected weights in .*model.safetensors, but there is no such file"),
    "300,000 tensors": ({"model.safetensors": with_tensors(300_000)}, "expected a header of at most 10,000,000 bytes"),
    "100,000 tensors": (
        {"model.safetensors": with_tensors(100_000)},
        "expected at most 20,000 tensors in .*, got 100,",
    ),
    "a long header": ({"model.safetensors": with_tensors(1, 10**7)}, "expected a header of at most 10,000,000 bytes"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_unusable_weights_are_named_within_a_second(folders, tmp_path, name):
    files, message = FOLDERS[name]
    folder = shutil.copytree(folders[0], tmp_path / "m", ignore=shutil.ignore_patterns("*.safetensors"))
    for file, data in files.items():
        (folder / file).write_bytes(data)
    start = time.perf_counter()
    with pytest.raises(ZooError, match=message):
        find_model(str(folder)).load("cpu")
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("script", [("compare", "FOLDER", "b"), ("zoo", "inspect", "FOLDER")])
def test_pipes_in_a_model_folder_are_not_opened(folders, tmp_path, run, name, script):
    folder = shutil.copytree(folders[0], tmp_path / "m")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    ran = run(*(str(folder) if word == "FOLDER" else str(folders[1]) if word == "b" else word for word in script))
    assert (ran.code, ran.stderr.count("\n")) == (1, 1)
    assert f"{name} is a pipe" in ran.stderr


def test_usual_weights_pass(folders):
    assert weight_files(folders[0]) == (folders[0] / "model.safetensors",)
