"""Training speed: `python -m tests.benchmarks.training`.

One epoch over CIFAR-shaped images with ResNet-8 and ResNet-20, crop, and flip: by this package, by a plain PyTorch loop
with workers, and by a loop of timm's parts as in its training script, in turn. Then this package without channels_last
and with torch.compile, and the time from the command to the first step.
"""

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

import torch
from PIL import Image, ImageOps
from torch import nn
from torch.utils.data import DataLoader, Dataset

from tests.benchmarks.in_turn import seconds
from zoo.data.image_set import ImageSet
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet, initialise
from zoo.record.recipe import Recipe
from zoo.train.loop import Fit

IMAGES, RUNS, BATCH, WORKERS = 2560, 5, 128, 2
FIRST_STEP = """
import sys, time
import zoo.train.loop
step = zoo.train.loop.Fit._step
def first(*arguments):
    done = step(*arguments)
    print(time.time())
    sys.stdout.flush()
    import os
    os._exit(0)
zoo.train.loop.Fit._step = first
from cli.app import zoo as command
command()
"""


class Pictures(Dataset):
    """Images like those of torchvision's CIFAR-10, with crop and flip, or without for timm's transforms."""

    def __init__(self, images, labels, augment):
        self.images = images.permute(0, 2, 3, 1).numpy()
        self.labels = labels.tolist()
        self.augment = augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        picture = Image.fromarray(self.images[index])
        if self.augment:
            return tensor(crop_and_flip(picture)), self.labels[index]
        return self.transform(picture), self.labels[index]


def crop_and_flip(picture):
    """Pad by 4, crop at random, and flip half of the images."""
    x, y = torch.randint(0, 9, (2,)).tolist()
    picture = ImageOps.expand(picture, 4).crop((x, y, x + 32, y + 32))
    return ImageOps.mirror(picture) if torch.rand(1) < 0.5 else picture


def tensor(picture):
    """Like torchvision's ToTensor."""
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(32, 32, 3)
    return pixels.permute(2, 0, 1).contiguous().float().div(255)


def member(depth=20, channels_last=True):
    """A variant with initial weights."""
    model = CifarResNet(Variant(depth, 1, 3))
    initialise(model, torch.Generator().manual_seed(0))
    return model.to(memory_format=torch.channels_last) if channels_last else model


def ours(data, model, **changes):
    """One epoch of this package."""
    training = Fit(model, data, Recipe(batch_size=BATCH, **changes), torch.Generator().manual_seed(0))
    return training.epoch


def plain(data, depth):
    """One epoch of a loop as in tutorials."""
    loader = DataLoader(
        Pictures(data.images, data.labels, True), BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )
    model, criterion = member(depth, channels_last=False), nn.CrossEntropyLoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.002)

    def epoch():
        model.train()
        running = 0.0
        for images, labels in loader:
            optimiser.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimiser.step()
            running += loss.item()

    return epoch


def timm_parts(data, depth):
    """One epoch of a loop as in timm's training script: loader, transforms, optimiser, loss, and meters."""
    from timm.data import create_loader
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2
    from timm.utils import AverageMeter

    loader = create_loader(
        Pictures(data.images, data.labels, False),
        (3, 32, 32),
        BATCH,
        is_training=True,
        use_prefetcher=False,
        color_jitter=0,
        num_workers=WORKERS,
        persistent_workers=True,
        device=torch.device("cpu"),
    )
    model, criterion, losses = member(depth, channels_last=False), LabelSmoothingCrossEntropy(0.1), AverageMeter()
    optimiser = create_optimizer_v2(model, "sgd", lr=0.01, momentum=0.9, weight_decay=0.002)

    def epoch():
        model.train()
        for images, labels in loader:
            loss = criterion(model(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.update(loss.item(), len(images))

    return epoch


def first_step():
    """Seconds from the command to the end of its first step, on digits."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.time()
        command = [sys.executable, "-c", FIRST_STEP, "train"]
        end = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout
    return float(end) - start


def rates(ways):
    """Images per second of each alternative, in turn, after one warm-up round."""
    found = {name: [] for name in ways}
    for _ in range(RUNS + 1):
        for name, way in ways.items():
            found[name].append(IMAGES / seconds(way))
    return {name: values[1:] for name, values in found.items()}


def table(title, found):
    """Print one line per alternative: images/s, and the median speedup of the first alternative over it."""
    width, reference = max(map(len, (title, *found))), next(iter(found))
    print(f"{title:{width}}  images/s    min    max  {reference} is faster by")
    for name, values in found.items():
        ratio = median(base / value for base, value in zip(found[reference], values, strict=True))
        print(f"{name:{width}}  {median(values):8.0f} {min(values):6.0f} {max(values):6.0f}  {ratio:.2f}")


def main():
    """Print all tables."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (IMAGES, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (IMAGES,), generator=generator)
    data = ImageSet("noise", "train", images, labels, torch.arange(IMAGES), tuple("abcdefghij"))
    print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {RUNS} runs in turn")
    for depth in (8, 20):
        ways = {
            "zoo": ours(data, member(depth)),
            "zoo, --precision bf16": ours(data, member(depth), precision="bf16"),
            "plain loop, 2 workers": plain(data, depth),
            "timm's parts, 2 workers": timm_parts(data, depth),
        }
        table(f"ResNet-{depth} on 32x32", rates(ways))
        print()
    start = time.perf_counter()
    variants = {
        "zoo": ours(data, member()),
        "without channels_last": ours(data, member(channels_last=False)),
        "with torch.compile": ours(data, torch.compile(member())),
    }
    table("ResNet-20 on 32x32", rates(variants))
    print(f"all of it, compiling included, took {time.perf_counter() - start:.0f} s")
    print(f"\nfrom the command to its first step: {median(first_step() for _ in range(RUNS)):.2f} s")


if __name__ == "__main__":
    main()
