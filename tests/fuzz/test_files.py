"""Configurations, records, images, and folders of images with something wrong in them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.fuzzing import LIMITS, one_line
from tests.support.image_files import encoded
from tests.support.mutations import TEXTS, damaged, mutated_json
from zoo.data.decoding.decode import Layout, UnreadableError, decode, read_header
from zoo.data.sources import load_images
from zoo.errors import ZooError
from zoo.hub.catalog import local_model
from zoo.model_folder.card_marker import for_repo, named_license, own_text
from zoo.model_folder.config_reader import read_config
from zoo.model_folder.folder import read_record

pytestmark = pytest.mark.slow
TIMM = {
    "architecture": "resnet18",
    "num_classes": 10,
    "pretrained_cfg": {
        "input_size": [3, 32, 32],
        "mean": [0.5, 0.5, 0.5],
        "std": [0.2, 0.2, 0.2],
        "crop_pct": 0.9,
        "interpolation": "bicubic",
        "label_names": ["cat", "dog"] * 5,
    },
    "model_args": {"layers": [2, 2, 2, 2]},
}


TRANSFORMERS = {
    "architectures": ["ViTForImageClassification"],
    "model_type": "vit",
    "hidden_size": 32,
    "image_size": 32,
    "patch_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "id2label": {"0": "cat", "1": "dog"},
}
PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 32, "width": 32},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def model_files(model_folder):
    """Content of config.json and training.json of a model."""
    return [json.loads((model_folder(8) / name).read_bytes()) for name in ("config.json", "training.json")]


@LIMITS
@given(st.data())
def test_configurations(folder, model_files, data):
    (folder / "config.json").write_bytes(data.draw(mutated_json([model_files[0], TIMM, TRANSFORMERS])))
    (folder / "preprocessor_config.json").write_bytes(data.draw(mutated_json([PROCESSOR])))
    for read in (read_config, local_model):
        try:
            read(folder)
        except ZooError as error:
            one_line(error)


@LIMITS
@given(st.data())
def test_training_records(folder, model_files, data):
    (folder / "training.json").write_bytes(data.draw(mutated_json(model_files[1:])))
    try:
        record = read_record(folder)
    except ZooError as error:
        one_line(error)
        return
    assert record.name and record.to_json()


PICTURES = [
    encoded(Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)), form, **options)
    for form, options in (
        ("PNG", {}),
        ("JPEG", {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"}),
        ("GIF", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("BMP", {}),
    )
]


@LIMITS
@given(st.sampled_from(PICTURES).flatmap(damaged))
def test_images(data):
    layout = Layout(3, 6, 6, mixed=True)
    for read in (read_header, lambda content: decode(content, layout)):
        try:
            read(data)
        except UnreadableError as error:
            assert "\n" not in str(error)


NAMES = st.one_of(
    st.sampled_from(["cat", "dog", "train", "Test", "val", ".hidden", "a.png", "b.JPG", "c.txt", "d", "e.parquet"]),
    st.sampled_from(
        [name for name in TEXTS if name and "/" not in name and "\0" not in name and len(name) < 200]
    ).filter(lambda name: name not in (".", "..")),
)
CONTENTS = st.one_of(st.sampled_from(PICTURES), st.binary(max_size=30), st.just(b""))
TREES = st.recursive(CONTENTS, lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)


def write_tree(path, tree):
    if isinstance(tree, bytes):
        path.write_bytes(tree)
        return
    path.mkdir()
    for name, content in tree.items():
        write_tree(path / name, content)


@LIMITS
@given(st.dictionaries(NAMES, TREES, max_size=4), st.sampled_from(["train", "test", "all"]))
def test_folders_of_images(tmp_path_factory, tree, split):
    folder = tmp_path_factory.mktemp("tree") / "images"
    write_tree(folder, tree)
    try:
        images = load_images(str(folder), split)
    except ZooError as error:
        one_line(error)
        return
    for path in images.paths or ():
        assert (folder / path).resolve().is_relative_to(folder.resolve())


@LIMITS
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_cards(card):
    assert isinstance(for_repo(card, "me/m"), bytes)
    named_license(card)
    own_text(card)
