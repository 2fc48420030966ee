"""Tiny models of transformers with random weights, saved as their own programs save them."""

import torch
import transformers

from zoo.family.transformers_build import quiet

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
IMAGES = {"image_size": 32, "patch_size": 8}
TEXTS = TINY | {"vocab_size": 50, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
NAMES = {0: "cat", 1: "dog", 2: "emu", 3: "fox", 4: "gnu"}
SWIN = {"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4}
# Configuration of each class, the image processor it is published with, and the settings of that processor.
SQUARE = {"size": {"height": 32, "width": 32}}
SHORT = {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}}
MODELS = {
    "ViTForImageClassification": (TINY | IMAGES, "ViT", SQUARE),
    "DeiTForImageClassification": (TINY | IMAGES, "DeiT", {"size": {"height": 40, "width": 40}, "crop_size": 32}),
    "DeiTForImageClassificationWithTeacher": (TINY | IMAGES, "DeiT", SHORT),
    "BeitForImageClassification": (TINY | IMAGES, "Beit", SQUARE),
    "SwinForImageClassification": (SWIN, "ViT", SQUARE),
    "ConvNextForImageClassification": (
        {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]},
        "ConvNext",
        {"size": {"shortest_edge": 32}},
    ),
    "ResNetForImageClassification": (
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
        "ConvNext",
        {"size": {"shortest_edge": 32}, "crop_pct": 0.8},
    ),
    "MobileNetV2ForImageClassification": ({"depth_multiplier": 0.25}, "MobileNetV2", SHORT),
    "Dinov2Model": (TINY | IMAGES, "Bit", SHORT),
    "Dinov2ForImageClassification": (TINY | IMAGES, "Bit", SHORT),
    "ResNetModel": (
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
        "ConvNext",
        {"size": {"shortest_edge": 32}},
    ),
    "CLIPVisionModel": (TINY | IMAGES, "CLIP", SHORT),
    "CLIPModel": ({"vision_config": TINY | IMAGES, "text_config": TEXTS}, "CLIP", SHORT),
    "SiglipModel": (
        {"vision_config": TINY | IMAGES, "text_config": TEXTS | {"projection_size": 32}},
        "Siglip",
        SQUARE,
    ),
}


def save_model(name, folder, names=None, **options):
    """Build a model and its image processor, save them, and return both."""
    values, processor_name, settings = MODELS[name]
    kind = getattr(transformers, name)
    labels = {"id2label": names or NAMES} if "Classification" in name else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(kind.config_class(**values, **labels)).eval()
    _spread(model)
    processor = getattr(transformers, f"{processor_name}ImageProcessor")(**settings)
    with quiet():
        model.save_pretrained(folder, **options)
        processor.save_pretrained(folder)
    return model, processor


def _spread(model):
    """Give all weights an effect on the output; transformers starts many from nearly 0."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5, generator=generator)
