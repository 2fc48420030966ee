"""Images that are decoded on demand."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import zoo.data.decoding.prefetch
import zoo.data.load_split
from tests.support.image_files import write_folder
from zoo.data.batches import ShuffledBatches
from zoo.data.decoding.prefetch import map_ahead
from zoo.data.sources import load_images
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.train.build import fit_to
from zoo.train.evaluate import predict, settle_batch_norm
from zoo.train.loop import fit
from zoo.train.train import train_model


@pytest.fixture
def both(here, monkeypatch):
    """The same images in memory and on demand."""
    write_folder(here / "pets", per_class=40)
    whole = load_images("pets", "train")
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 0)
    monkeypatch.setenv("ZOO_CACHE", str(here / "cache"))
    return whole, load_images("pets", "train")


def test_results_are_in_order_and_computed_within_the_depth():
    started = []
    results = map_ahead(lambda item: started.append(item) or -item, range(100), depth=5)
    assert next(results) == 0
    assert len(started) <= 7
    assert list(results) == [-item for item in range(1, 100)]


def test_indexing_and_splitting_are_those_of_a_tensor(both):
    whole, lazy = (data.images for data in both)
    for index in (slice(3), slice(5, 50), torch.tensor([90, 2, 2]), torch.arange(96) % 2 == 0, torch.tensor([]).long()):
        assert torch.equal(lazy[index], whole[index])
    assert [tuple(part.shape) for part in lazy.split(40)] == [tuple(part.shape) for part in whole.split(40)]
    assert torch.equal(lazy.take(torch.tensor([7, 1]))[:], whole[[7, 1]])
    assert (len(lazy), lazy.shape) == (len(whole), whole.shape)


def test_minibatches_predictions_and_statistics_are_those_of_images_in_memory(both, brief):
    whole, lazy = both
    for one, other in zip(ShuffledBatches(whole, 10, 0), ShuffledBatches(lazy, 10, 0), strict=True):
        assert all(map(torch.equal, one, other))
    model, record = train_model(fit_to(Variant(8, 0.5), whole), whole, whole, brief)
    again, its = train_model(fit_to(Variant(8, 0.5), lazy), lazy, lazy, brief)
    assert [(epoch.loss, epoch.accuracy) for epoch in record.history] == [(e.loss, e.accuracy) for e in its.history]
    assert torch.equal(predict(model, whole.images), predict(again, lazy.images))
    assert (record.test, record.data.input_size) == (its.test, its.data.input_size)
    for each, images in ((model, whole.images), (again, lazy.images)):
        settle_batch_norm(each, images, 32)
    assert all(map(torch.equal, model.state_dict().values(), again.state_dict().values()))


def test_crops_depend_on_the_generator_and_not_on_the_number_of_threads(here, monkeypatch):
    root = write_folder(here / "pets", per_class=30, side=40)
    write_folder(root, per_class=30, side=32)
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 0)
    images = load_images("pets", "train").images
    assert images.layout.mixed
    parts, seeds = torch.arange(60).split(25), torch.arange(60).split(25)
    crops = torch.cat(list(images.pick(parts, seeds)))
    assert not torch.equal(crops, images[:60])
    monkeypatch.setattr(zoo.data.decoding.prefetch, "threads", lambda: 7)
    assert torch.equal(torch.cat(list(images.pick(parts, seeds))), crops)


def test_training_on_mixed_sizes_takes_crops(here, monkeypatch, brief, generator):
    write_folder(here / "pets/train", per_class=30, side=12)
    write_folder(here / "pets/train", per_class=20, side=16)
    write_folder(here / "pets/test", per_class=5, side=16)
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 0)
    train_set, test_set = (load_images("pets", split) for split in ("train", "test"))
    seen = []
    pick = type(train_set.images).pick
    monkeypatch.setattr(type(train_set.images), "pick", lambda *a: seen.append(a[2:]) or pick(*a))
    model, record = train_model(fit_to(Variant(8, 0.5), train_set), train_set, test_set, brief)
    assert sum(bool(crops and crops[0] is not None) for crops in seen) == brief.epochs
    assert record.data.input_size == train_set.input_size == test_set.input_size
    assert np.isfinite(record.history[-1].loss)
    assert fit(model, train_set, brief, generator)


def test_deleted_file_is_reported_by_name(both, here):
    victim = min((here / "pets/one").iterdir())
    lazy = both[1].images
    for path in (here / "pets").glob("*/*"):
        if path != victim:
            path.unlink()
    with pytest.raises(ZooError, match=r"one/.*png was readable before, but no longer is .*; repair or remove it"):
        lazy[:]


@pytest.mark.slow
def test_memory_stays_small_whatever_the_number_of_images(here):
    """4,000 images of 256x256 in RGB are 786 MB decoded."""
    code = """
import resource, sys
import numpy as np, torch
from pathlib import Path
from PIL import Image
import zoo.data.load_split
from zoo.data.batches import ShuffledBatches
from zoo.data.sources import load_images

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
for label in "ab":
    Path("pets", label).mkdir(parents=True)
    for number in range(2000):
        noise[0, 0] = number % 256, number // 256, ord(label)
        Image.fromarray(noise).resize((256, 256)).save(f"pets/{label}/{number}.jpg")
zoo.data.load_split.SMALL = 2**28
before = peak()
data = load_images("pets", "all")
total = sum(len(images) for images, _, _ in ShuffledBatches(data, 128, 0))
print(total, data.input_size, peak() - before)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    total, *_, grown = ran.stdout.split()
    assert (int(total), float(grown) < 250) == (4000, True), ran.stdout
