"""Real networks on 600 photos of all sizes: `python -m tests.benchmarks.photos`.

Are predictions those of timm's own transform on the original files? Once with the images that `compare` decodes for
each model, and once by way of one common size, as for training. Then time and memory of the whole command.
"""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config

from tests.support.real_weights import write_model, write_photos
from zoo.data.decoding.decode import model_view
from zoo.data.sources import load_views
from zoo.hub.find import find_model
from zoo.model_folder.preprocess import prepare

PHOTOS, BATCH = 600, 50


def main():
    """Print both tables."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ["ZOO_CACHE"] = str(root / "cache")
        photos = write_photos(root / "photos", PHOTOS)
        folders = [write_model(root, number) for number in (0, 1)]
        print(f"{'':21} images                 equal predictions  pixel difference, of 255")
        for folder in folders:
            compare_with_timm(folder, photos)
        measure(folders, photos)


@torch.no_grad()
def compare_with_timm(folder, photos):
    """Compare predictions and pixels of one model with those of timm."""
    found = find_model(str(folder))
    how = found.config.pretrained_cfg
    model = timm.create_model(found.config.architecture, checkpoint_path=str(folder / "model.safetensors")).eval()
    transform = create_transform(**resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(folder.name).to_dict()))
    common, seen = load_views(str(photos), "all", (None, model_view(found.config)))
    for name, data, cropped in (("of one common size", common, False), ("as the model sees them", seen, True)):
        equal, apart = 0, 0.0
        for start in range(0, PHOTOS, BATCH):
            paths = data.paths[start : start + BATCH]
            theirs = torch.stack([transform(Image.open(photos / path)) for path in paths])
            ours = prepare(data.images[start : start + BATCH], how, cropped)
            equal += int((model(ours).argmax(1) == model(theirs).argmax(1)).sum())
            apart += ((ours - theirs).abs() * how.std[0] * 255).mean().item() * len(paths)
        print(f"{found.config.architecture:21} {name:22} {equal / PHOTOS:17.1%} {apart / PHOTOS:25.2f}", flush=True)


def measure(folders, photos):
    """Time and peak memory of the command, with a new cache of images and then with a filled one."""
    options = ("--split", "all", "--layers", "blocks", "--baseline", "none", "--quiet", "--json", os.devnull)
    command = (Path(sys.executable).parent / "compare", *folders, "--dataset", photos, *options)
    print("\ncompare --layers blocks  seconds  MiB peak")
    for images in ("decoded", "from the cache"):
        start = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        print(f"images {images:17} {time.perf_counter() - start:7.1f} {usage.ru_maxrss / 1024:9.0f}")
        for kind in ("results", "recordings"):
            for file in (Path(os.environ["ZOO_CACHE"]) / kind).glob("*"):
                file.unlink()


if __name__ == "__main__":
    main()
