"""Training speed: `python -m tests.benchmarks.training [REPEATS]`.

One epoch over CIFAR-shaped images with ResNet-8 and ResNet-20, crop, and flip: by this package, by a plain PyTorch loop
with workers, and by a loop of timm's parts as in its training script. Then this package without channels_last, with
torch.compile, and with the penalty against block structure, and the time from the command to the first step.

Each alternative has a process of its own, and they take turns. Those of `zoo` reuse freed memory and do not spin, as
the commands do. Those of `zoo as a library` and of other loops are as Python starts them.
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
# The start of a command, before torch is imported, and what processes do.
AS_COMMAND = """
from zoo.base.allocator import keep_freed_memory
from zoo.base.threads import wait_without_spinning
keep_freed_memory()
wait_without_spinning()
"""
FIRST_STEP = """
import sys, time
import zoo.train.loop
step = zoo.train.loop.Fit._step
def first(*arguments):
    done = step(*arguments)
    print(time.time(), time.process_time())
    sys.stdout.flush()
    import os
    os._exit(0)
zoo.train.loop.Fit._step = first
from cli.app import zoo as command
command()
"""
TURNS = """
import sys
from tests.benchmarks.training import take_turns
take_turns(sys.argv[1], int(sys.argv[2]))
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


def plain(data, model, workers=WORKERS, precision="fp32"):
    """One epoch of a loop as in tutorials, on the device of the model."""
    pictures = Pictures(data.images, data.labels, True)
    loader = DataLoader(pictures, BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    criterion, device = nn.CrossEntropyLoss(), next(model.parameters()).device
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.002)

    def epoch():
        model.train()
        running = 0.0
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimiser.zero_grad()
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
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
    """Seconds from the command to the end of its first step on digits, and seconds of CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.time()
        command = [sys.executable, "-c", AS_COMMAND + FIRST_STEP, "train"]
        output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout
    end, cpu = map(float, output.split())
    return end - start, cpu


WAYS = {
    "zoo": lambda data, depth: ours(data, member(depth)),
    "zoo, --precision bf16": lambda data, depth: ours(data, member(depth), precision="bf16"),
    "zoo as a library": lambda data, depth: ours(data, member(depth)),
    "plain loop, 2 workers": lambda data, depth: plain(data, member(depth, channels_last=False)),
    "timm's parts, 2 workers": timm_parts,
    "zoo without channels_last": lambda data, depth: ours(data, member(depth, channels_last=False)),
    "zoo with torch.compile": lambda data, depth: ours(data, torch.compile(member(depth))),
    "zoo, --pc-regularize 0.1": lambda data, depth: ours(data, member(depth), pc_regularize=0.1),
}
LOOPS, VARIANTS = list(WAYS)[:5], [list(WAYS)[0], *list(WAYS)[5:]]


class Turns(subprocess.Popen):
    """A process that trains one epoch at a time, in one of the ways."""

    def __init__(self, way, depth):
        start = AS_COMMAND if way.startswith("zoo") and way != "zoo as a library" else ""
        command = [sys.executable, "-c", start + TURNS, way, str(depth)]
        super().__init__(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rate(self):
        """Images per second of the next epoch."""
        self.stdin.write("\n")
        self.stdin.flush()
        return IMAGES / float(self.stdout.readline())


def take_turns(way, depth):
    """Train an epoch for each line of the input, and print its seconds."""
    epoch = WAYS[way](noise(), depth)
    for _ in sys.stdin:
        print(seconds(epoch), flush=True)


def noise(count=IMAGES):
    """CIFAR-shaped noise."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (count,), generator=generator)
    return ImageSet("noise", "train", images, labels, torch.arange(count), tuple("abcdefghij"))


def rates(ways, depth, repeats):
    """Images per second of each alternative, in turn, after one warm-up round."""
    processes = {way: Turns(way, depth) for way in ways}
    rounds = [{way: process.rate() for way, process in processes.items()} for _ in range(repeats + 1)][1:]
    for process in processes.values():
        process.communicate()
    return {way: [each[way] for each in rounds] for way in ways}


def table(title, found):
    """Print one line per alternative: images/s, and the median speedup of the first alternative over it."""
    width, reference = max(map(len, (title, *found))), next(iter(found))
    print(f"{title:{width}}  images/s    min    max  {reference} is faster by")
    for name, values in found.items():
        ratio = median(base / value for base, value in zip(found[reference], values, strict=True))
        print(f"{name:{width}}  {median(values):8.0f} {min(values):6.0f} {max(values):6.0f}  {ratio:.2f}", flush=True)


def main():
    """Print all tables."""
    repeats = int(sys.argv[1]) if sys.argv[1:] else RUNS
    print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {repeats} runs in turn")
    for depth in (8, 20):
        table(f"ResNet-{depth} on 32x32", rates(LOOPS, depth, repeats))
        print()
    table("ResNet-20 on 32x32", rates(VARIANTS, 20, repeats))
    wall, cpu = map(median, zip(*(first_step() for _ in range(repeats)), strict=True))
    print(f"\nfrom the command to its first step: {wall:.2f} s, {cpu:.2f} s of CPU time")


if __name__ == "__main__":
    main()
