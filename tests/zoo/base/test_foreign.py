"""What other libraries raise becomes one line; our own bugs keep their traceback."""

import json
import pickle

import msgspec
import pytest
import yaml
from PIL import Image
from safetensors import safe_open

import zoo.base.files
from zoo.base.foreign import decode_text, foreign_code
from zoo.errors import ZooError


def deep(text):
    return msgspec.json.decode(text * 100_000, type=dict)


FOREIGN = {
    "msgspec": lambda path: msgspec.json.decode(b"{", type=dict),
    "recursion": lambda path: deep('{"a":'),
    "yaml": lambda path: yaml.safe_load("{"),
    "pillow": lambda path: Image.open(path),
    "safetensors": lambda path: safe_open(path, "np"),
    "pickle": lambda path: pickle.loads(b"x"),
    "missing": lambda path: (path / "x").read_bytes(),
    "utf-8": lambda path: b"\xff".decode(),
    "json": lambda path: json.loads("{"),
    "memory": lambda path: bytearray(2**62),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_errors_of_others_are_one_line(tmp_path, name):
    path = tmp_path / "file"
    path.write_bytes(b"text")
    with pytest.raises(ZooError) as error, foreign_code("cannot read x", "repair it"):
        FOREIGN[name](path)
    assert str(error.value).startswith("cannot read x (")
    assert str(error.value).endswith("); repair it.")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_bugs_of_our_own_keep_their_traceback():
    with pytest.raises(AttributeError), foreign_code("cannot read x", "repair it"):
        zoo.base.files.replace_file(None, b"")
    with pytest.raises(AttributeError), foreign_code("cannot read x", "repair it"):
        zoo.base.files.names_in("not a path")


def test_errors_of_our_own_pass_unchanged():
    with pytest.raises(ZooError, match="^mine$"), foreign_code("cannot read x", "repair it"):
        raise ZooError("mine")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_with_and_without_byte_order_mark(encoding):
    assert decode_text("{\u00e4}".encode(encoding)) == "{\u00e4}"
