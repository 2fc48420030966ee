"""Models of transformers from untrusted folders: valid ones give transformers' own logits, others a clear error."""

import json
import shutil

import pytest
import timm
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data

from tests.support.transformers_models import MODELS, NAMES, save_model
from zoo.errors import ZooError
from zoo.family.transformers_build import quiet
from zoo.hub.find import find_model
from zoo.hub.load import load
from zoo.model_folder.checkpoint import load_checkpoint
from zoo.model_folder.config_reader import read_config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Gives folder, model and image processor by the name of a class; do not write to the folder."""
    models = {}

    def saved(name):
        if name not in models:
            folder = tmp_path_factory.mktemp(name)
            models[name] = (folder, *save_model(name, folder))
        return models[name]

    return saved


@pytest.fixture
def folder(saved, tmp_path):
    """A folder of a vision transformer that a test may change."""
    return shutil.copytree(saved("ViTForImageClassification")[0], tmp_path / "vit")


def edit(folder, name="config.json", **changes):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def expected_of(model, pixels):
    """What transformers returns: logits, or pooled features."""
    model = getattr(model, "vision_model", model)
    with torch.no_grad():
        outputs = model(pixels)
    return outputs.logits if "logits" in outputs else outputs.pooler_output.flatten(1)


SLOW = ("DeiTForImageClassificationWithTeacher", "MobileNetV2ForImageClassification", "ResNetModel")


@pytest.mark.parametrize("name", [pytest.param(x, marks=pytest.mark.slow) if x in SLOW else x for x in MODELS])
def test_logits_are_those_of_transformers(saved, name):
    folder, model, processor = saved(name)
    photos = [data.chelsea(), data.coffee()[:, ::2].copy()]
    pixels = processor(photos, return_tensors="pt")["pixel_values"]
    expected = expected_of(model, pixels)
    with torch.no_grad():
        found = load_checkpoint(folder)(pixels)
        of_photos = torch.cat([load(folder)(torch.from_numpy(x).permute(2, 0, 1)[None]) for x in photos])
    assert (found - expected).abs().max() < 1e-5
    assert load_checkpoint(folder).num_classes == (5 if "Classification" in name else 0)
    # Resizing rounds otherwise.
    assert (of_photos - expected).abs().max() < 0.05 * expected.std()
    config = read_config(folder)
    assert config.num_classes == (5 if "Classification" in name else 0)
    assert config.label_names == (tuple(NAMES.values()) if "Classification" in name else None)


def test_logits_are_those_of_the_pipeline(saved):
    folder, _, _ = saved("ResNetForImageClassification")
    with quiet():
        pipeline = transformers.pipeline("image-classification", model=str(folder))
        expected = {row["label"]: row["score"] for row in pipeline(Image.fromarray(data.chelsea()), top_k=5)}
    with torch.no_grad():
        found = load(folder)(torch.from_numpy(data.chelsea()).permute(2, 0, 1)[None]).softmax(1)[0]
    names = read_config(folder).label_names
    assert dict(zip(names, found.tolist(), strict=True)) == pytest.approx(expected, abs=0.01)


def test_layers_have_the_names_of_transformers(saved):
    folder, model, _ = saved("SwinForImageClassification")
    assert [name for name, _ in load_checkpoint(folder).named_modules()] == [name for name, _ in model.named_modules()]
    assert read_config(folder).architecture == "transformers SwinForImageClassification"
    clip = saved("CLIPModel")[0]
    assert read_config(clip).architecture == "transformers CLIPModel (encoder of images)"
    assert type(load_checkpoint(clip)).__name__ == "CLIPVisionModel"


def test_weights_in_several_files_are_one_model(saved, tmp_path):
    whole, model, _ = saved("ViTForImageClassification")
    parts = tmp_path / "parts"
    save_model("ViTForImageClassification", parts, max_shard_size="20KB")
    files = sorted(parts.glob("*.safetensors"))
    assert len(files) > 2
    pixels = torch.rand(2, 3, 32, 32)
    assert torch.equal(load_checkpoint(parts)(pixels), load_checkpoint(whole)(pixels))
    one = find_model(str(parts))
    before = one.sha256
    assert before == find_model(str(parts)).sha256 != find_model(str(whole)).sha256
    weights = load_file(files[-1])
    save_file({name: tensor + 1 for name, tensor in weights.items()}, files[-1])
    assert find_model(str(parts)).sha256 != before


def test_a_pooling_layer_without_weights_is_left_out(saved, tmp_path):
    folder = tmp_path / "vit"
    model, _ = save_model("CLIPVisionModel", folder)
    vit = transformers.ViTModel(transformers.ViTConfig(**MODELS["ViTForImageClassification"][0])).eval()
    with quiet():
        vit.save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    save_file({name: x for name, x in weights.items() if not name.startswith("pooler")}, folder / "model.safetensors")
    pixels = torch.rand(2, 3, 32, 32)
    assert torch.allclose(load_checkpoint(folder)(pixels), vit(pixels).last_hidden_state, atol=1e-5)


@pytest.mark.parametrize("name", ["TimmWrapperForImageClassification", "TimmWrapperModel"])
def test_a_timm_model_in_the_wrapper_of_transformers_is_a_timm_model(tmp_path, name):
    cfg = timm.get_pretrained_cfg("test_resnet").to_dict()
    config = transformers.TimmWrapperConfig(
        architecture="test_resnet.r160_in1k", pretrained_cfg=cfg, num_labels=5, id2label=NAMES
    )
    model = getattr(transformers, name)(config).eval()
    with quiet():
        model.save_pretrained(tmp_path)
    assert all(weight.startswith("timm_model.") for weight in load_file(tmp_path / "model.safetensors"))
    pixels = torch.rand(2, 3, 160, 160)
    loaded = load_checkpoint(tmp_path)
    assert (loaded(pixels) - expected_of(model, pixels)).abs().max() < 1e-5
    found = read_config(tmp_path)
    classifies = "Classification" in name
    assert (found.architecture, found.num_classes) == ("test_resnet", 5 if classifies else 0)
    assert found.label_names == (tuple(NAMES.values()) if classifies else None)


def test_the_processor_of_a_model_of_images_and_texts_is_read(saved, tmp_path):
    folder = shutil.copytree(saved("CLIPModel")[0], tmp_path / "clip")
    expected = read_config(folder)
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ZooError, match=r"expected the preprocessing of images in preprocessor_config.json"):
        read_config(folder)
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": settings}))
    assert read_config(folder) == expected


def test_names_that_transformers_made_up_are_no_names(tmp_path):
    save_model("ViTForImageClassification", tmp_path, names={0: "LABEL_0", 1: "LABEL_1"})
    config = read_config(tmp_path)
    assert (config.num_classes, config.label_names, config.notes) == (2, None, ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["BertModel"]}, "got a transformers BertModel, which takes no images"),
        (
            {"architectures": ["ViTForMaskedImageModeling"]},
            "a transformers ViTForMaskedImageModeling, which is neither",
        ),
        ({"architectures": ["MyModel"]}, "expected a model of transformers .*got 'MyModel'.* is never run"),
        ({"architectures": ["pipeline"]}, "expected a model of transformers .*got 'pipeline'"),
        ({"architectures": ["os.system"]}, "expected the name of a class"),
        ({"architectures": None}, "Expected `array`, got `null` - at `\\$.architectures`"),
        ({"architectures": ["DetrModel"]}, "DetrModel, which is built around another model"),
        ({"architectures": ["TimmBackbone"]}, "a transformers TimmBackbone, which is neither"),
        ({"architectures": ["TimmWrapperModel"]}, "a transformers TimmWrapperModel, which is neither"),
        ({"architectures": ["ResNetForImageClassification"]}, "describes a transformers ResNetForImageClass.* but"),
        ({"hidden_size": 32_000}, "describes a transformers ViTForImageClassification of .* parameters, but"),
        ({"hidden_size": 10**9}, "expected numbers up to 65536"),
        ({"hidden_size": "big"}, "transformers cannot load a ViTForImageClassification"),
        ({"hidden_size": 0}, "transformers cannot load a ViTForImageClassification"),
        ({"num_hidden_layers": 60_000}, "at most 10,000 modules"),
        ({"num_attention_heads": 3}, "transformers cannot load a ViTForImageClassification"),
        ({"hidden_act": "os.system"}, "transformers cannot load a ViTForImageClassification"),
        ({"x": [0] * 20_000}, "at most 10000 values"),
        ({"x": [[[[[[[1]]]]]]]}, "expected numbers up to 65536 and short lists"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "expected plain weights, got quantized ones"),
        ({"backbone": "me/other"}, "which is built around another model"),
        ({"id2label": {"0": "a", "1": "b"}}, "transformers cannot load a ViTForImageClassification"),
        ({"id2label": [1]}, "Expected `object | null`, got `array`"),
    ],
)
def test_hostile_or_broken_configuration_gives_a_clear_error(folder, changes, message):
    edit(folder, **changes)
    with pytest.raises(ZooError, match=message) as raised:
        load_checkpoint(folder)
    assert "\n" not in str(raised.value)


def test_images_of_another_size_than_the_model_takes_give_a_clear_error(folder):
    edit(folder, "preprocessor_config.json", size={"height": 64, "width": 64})
    with pytest.raises(ZooError, match=r"does not take the images of its image processor, \(3, 64, 64\)"):
        load_checkpoint(folder)


@pytest.mark.parametrize("files", [(), ("preprocessor_config.json",)])
def test_a_model_of_texts_says_so_with_and_without_preprocessing(folder, files):
    edit(folder, architectures=["BertModel"])
    for name in files:
        (folder / name).unlink()
    with pytest.raises(ZooError, match="a transformers BertModel, which takes no images; choose another model"):
        load_checkpoint(folder)


def test_code_of_the_repository_is_never_run(folder, tmp_path):
    trap = tmp_path / "run"
    (folder / "modeling.py").write_text(f"open({str(trap)!r}, 'w')\nclass ViT: pass\nclass Config: pass\n")
    pixels = torch.rand(1, 3, 32, 32)
    expected = load_checkpoint(folder)(pixels)
    code = {"AutoConfig": "modeling.Config", "AutoModelForImageClassification": "modeling.ViT"}
    edit(folder, auto_map=code, _attn_implementation="me/kernel", attn_implementation="me/kernel@main:f")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "me/other", "peft_type": "LORA"}')
    assert torch.equal(load_checkpoint(folder)(pixels), expected)
    assert not trap.exists()


def test_only_safetensors_are_read(folder):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ZooError, match=r"expected weights in .*, got only pytorch_model.bin, and only .safetensors"):
        load_checkpoint(folder)


def test_half_precision_weights_become_single_precision(folder):
    weights = load_file(folder / "model.safetensors")
    save_file({name: tensor.half() for name, tensor in weights.items()}, folder / "model.safetensors")
    assert {parameter.dtype for parameter in load_checkpoint(folder).parameters()} == {torch.float32}


def test_missing_weights_are_named(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["classifier.bias"]
    # As many numbers as the model has.
    save_file(weights | {"more": torch.zeros(100)}, folder / "model.safetensors")
    with pytest.raises(ZooError, match="this ViTForImageClassification lack classifier.bias; download"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda parts: {}, "expected 1 to 1000 names of .safetensors files"),
        (lambda parts: parts | {"x": "../secret.safetensors"}, "got '../secret.safetensors'"),
        (lambda parts: parts | {"x": "/etc/passwd"}, "got '/etc/passwd'"),
        (lambda parts: parts | {"x": "pytorch_model.bin"}, "got 'pytorch_model.bin'"),
        (lambda parts: parts | {"x": ".safetensors"}, "got '.safetensors'"),
        (lambda parts: parts | {"x": "more.safetensors"}, "expected weights in .*more.safetensors"),
        (lambda parts: parts | {"x": min(parts.values())}, "expects x in model-00001-of-.*, which has no such tensor"),
        (lambda parts: parts | {"x": 1}, "is not an index of weights"),
        (lambda parts: [], "is not an index of weights"),
    ],
)
def test_hostile_or_broken_index_gives_a_clear_error(tmp_path, change, message):
    save_model("ViTForImageClassification", tmp_path, max_shard_size="20KB")
    index = tmp_path / "model.safetensors.index.json"
    edit(tmp_path, index.name, weight_map=change(json.loads(index.read_text())["weight_map"]))
    with pytest.raises(ZooError, match=message):
        load_checkpoint(tmp_path)


def test_parts_of_a_model_of_timm_are_refused_without_reading_pickles(tmp_path):
    save_model("ViTForImageClassification", tmp_path, max_shard_size="20KB")
    (tmp_path / "config.json").write_text(
        json.dumps({"architecture": "test_vit", "num_classes": 5, "pretrained_cfg": {"input_size": [3, 160, 160]}})
    )
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ZooError, match=r"expected all weights of test_vit in .*model.safetensors, got"):
        load_checkpoint(tmp_path)
