"""Preprocessing from preprocessor_config.json: its pixels are those of transformers' own image processors."""

import json

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_images
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES

from zoo.errors import ZooError
from zoo.model_folder.image_processor import DEFAULTS, OF_MODELS, preprocessing_of
from zoo.model_folder.preprocess import crop_for, prepare

SETTINGS = [
    *((kind, {}) for kind in DEFAULTS),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 224}}),
    ("ConvNextImageProcessor", {"size": 224, "crop_pct": 0.9}),
    ("EfficientNetImageProcessor", {"resample": 0, "rescale_offset": True, "rescale_factor": 1 / 127.5}),
    ("EfficientNetImageProcessor", {"include_top": False, "do_center_crop": True}),
    ("ViTImageProcessor", {"do_normalize": False, "size": {"height": 160, "width": 96}}),
    ("ViTImageProcessor", {"do_rescale": False, "resample": 1}),
    ("CLIPImageProcessor", {"size": 336, "crop_size": 336}),
    ("CLIPImageProcessor", {"size": {"shortest_edge": 100}, "crop_size": {"height": 101, "width": 150}}),
    ("PoolFormerImageProcessor", {"crop_pct": 0.95}),
    ("MobileViTImageProcessor", {"size": {"shortest_edge": 288}, "do_flip_channel_order": False}),
]


@pytest.fixture(scope="module")
def photos():
    whole = [data.chelsea(), data.astronaut(), data.coffee(), *load_sample_images().images]
    return [*whole, np.ascontiguousarray(whole[0][:180, :300:2]), np.ascontiguousarray(whole[3][::7, ::7])]


@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_pixels_are_those_of_the_image_processor(photos, kind, settings):
    processor = getattr(transformers, kind)(**settings)
    how = preprocessing_of(json.loads(processor.to_json_string()), "")
    std = torch.tensor(how.std)[:, None, None]
    for photo in photos:
        expected = processor(photo.copy(), return_tensors="pt")["pixel_values"]
        cropped = torch.from_numpy(np.array(crop_for(Image.fromarray(photo), how))).permute(2, 0, 1)
        # In units of one level of 255. Pillow rounds otherwise than torchvision.
        errors = 255 * std * (prepare(cropped[None], how, cropped=True) - expected)
        assert errors.abs().max() < 2.5
        assert errors.abs().mean() < 0.5
        of_tensor = prepare(torch.from_numpy(photo.copy()).permute(2, 0, 1)[None], how)
        assert (255 * std * (of_tensor - expected)).abs().mean() < 0.5


@pytest.mark.parametrize("kind", DEFAULTS)
def test_what_a_file_leaves_out_is_as_in_the_installed_transformers(kind):
    complete = json.loads(getattr(transformers, kind)().to_json_string())
    assert preprocessing_of({"image_processor_type": kind}, "") == preprocessing_of(complete, "")
    size = {"size": 192, "crop_size": 160, "do_center_crop": kind != "ConvNextImageProcessor"}
    both = [preprocessing_of({"image_processor_type": kind} | values, "") for values in (size, complete | size)]
    assert both[0] == both[1]
    for name, value in size.items():
        size[name] = json.loads(getattr(transformers, kind)(**{name: value}).to_json_string())[name]
    assert preprocessing_of({"image_processor_type": kind} | size, "") == both[0]


def test_files_without_a_name_and_earlier_names_are_understood():
    vit = {"size": 224, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": None}
    expected = preprocessing_of(vit | {"image_processor_type": "ViTImageProcessorFast"}, "")
    assert preprocessing_of(vit, "swin") == expected
    assert preprocessing_of(vit | {"feature_extractor_type": "ViTFeatureExtractor"}, "x") == expected


def test_every_type_of_classifier_has_the_image_processor_of_transformers():
    names = {kind: processor for processor, kinds in OF_MODELS.items() for kind in kinds}
    for kind in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES:
        processor = IMAGE_PROCESSOR_MAPPING_NAMES.get(kind, {}).get("torchvision")
        if processor in DEFAULTS:
            assert names[kind] == processor
        else:
            with pytest.raises(ZooError, match="expected an image processor that resizes"):
                preprocessing_of({} if processor is None else {"image_processor_type": processor}, kind)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_processor_type": "PerceiverImageProcessor"}, "expected an image processor .*got 'PerceiverImage"),
        ({"image_processor_type": ["x"]}, "expected an image processor that resizes"),
        ({"do_resize": False}, "asks for images of their original sizes"),
        ({"resample": 4}, "asks for resizing with Pillow's method 4"),
        ({"do_pad": True}, "asks for padding"),
        ({"size": {"longest_edge": 224}}, "asks for the size .*longest_edge"),
        ({"size": {"shortest_edge": 224}}, "asks for images of different sizes"),
        ({"size": "big"}, "settings of the image processor are not those of a ViTImageProcessor"),
        ({"rescale_factor": 0}, "asks for the rescale_factor 0"),
        ({"crop_pct": 0}, "asks for the crop_pct 0"),
    ],
)
def test_what_is_not_possible_is_named(changes, message):
    with pytest.raises(ZooError, match=message):
        preprocessing_of({"image_processor_type": "ViTImageProcessor"} | changes, "vit")
