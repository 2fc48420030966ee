"""Classes of transformers: image classifiers and encoders are found, others are named."""

import sys

import pytest

from zoo.errors import ZooError
from zoo.family.transformers_build import find_class


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ViTForImageClassification", "ViTForImageClassification"),
        ("DeiTForImageClassificationWithTeacher", "DeiTForImageClassificationWithTeacher"),
        ("Dinov2Model", "Dinov2Model"),
        ("CLIPVisionModelWithProjection", "CLIPVisionModelWithProjection"),
        ("CLIPModel", "CLIPVisionModel"),
        ("SiglipModel", "SiglipVisionModel"),
        ("MetaClip2Model", "MetaClip2VisionModel"),
        ("CLIPForImageClassification", "CLIPForImageClassification"),
    ],
)
def test_image_models_are_found(name, found):
    assert find_class(name).__name__ == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("BertModel", "a transformers BertModel, which takes no images"),
        ("Wav2Vec2Model", "a transformers Wav2Vec2Model, which takes no images"),
        ("SegformerForSemanticSegmentation", "a transformers SegformerForSemanticSegmentation, which is neither"),
        ("LlavaForConditionalGeneration", "a transformers LlavaForConditionalGeneration, which is neither"),
        ("NoSuchModel", r"expected a model of transformers \d+\..*, got 'NoSuchModel'; update transformers"),
        ("AutoModel", r"expected a model of transformers \d+\..*, got 'AutoModel'"),
    ],
)
def test_other_models_are_named(name, message):
    with pytest.raises(ZooError, match=message):
        find_class(name)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ZooError, match=r"not installed; pip install 'resnet-zoo\[transformers\]'\."):
        find_class("ViTModel")
