"""Images of mixed sizes, as each model sees them."""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import threading
import time

import pytest
import torch
from PIL import Image
from skimage import data as photos
from timm.data import create_transform
from torch import nn

import zoo.data.load_split
from tests.support.image_files import encoded, write_folder
from zoo.data.batches import ShuffledBatches, takes_positions
from zoo.data.decoding.decode import Layout, ModelLayout
from zoo.data.decoding.on_demand import ImagesOnDemand, PositionsOnDemand
from zoo.data.decoding.prefetch import threads
from zoo.data.image_set import balanced_subset
from zoo.data.sources import load_views
from zoo.errors import ZooError
from zoo.model_folder.config import Preprocessing

pytestmark = pytest.mark.slow

SMALL_VIEW, LARGE_VIEW = (
    ModelLayout(3, Preprocessing((3, side, side), (0.0,) * 3, (1.0,) * 3, 0.875, "bicubic")) for side in (32, 48)
)
OWN_VIEW = Layout(3, 24, 24, mixed=True)


@pytest.fixture
def windows(here):
    """A folder with windows of a photo, all of different sizes and aspect ratios."""
    for number in range(24):
        window = photos.chelsea()[number : 90 + 7 * number, 2 * number : 210 - 3 * number]
        place = here / "windows" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:02}.png").write_bytes(encoded(Image.fromarray(window)))
    return here / "windows"


def load(root, view=None, split="all"):
    return load_views(str(root), split, (view,))[0]


def test_pixels_are_those_of_timm_from_the_original_files(windows):
    data = load(windows, SMALL_VIEW)
    theirs = create_transform((3, 32, 32), interpolation="bicubic", crop_pct=0.875, normalize=False)
    expected = torch.stack([theirs(Image.open(windows / path)) for path in data.paths])
    assert torch.equal(data.images[:], expected)
    assert "each model sees them resized and cropped by its own preprocessing" in data.notes[-1]


def test_a_model_of_this_program_sees_what_it_was_trained_on(windows):
    training = load(windows)
    _, side, _ = training.input_size
    seen = load(windows, Layout(3, side, side, mixed=True))
    assert torch.equal(seen.images[:], training.images)


def test_the_fingerprint_is_that_of_the_files_for_every_model_and_in_training(windows, monkeypatch):
    sets = [load(windows, view) for view in (None, SMALL_VIEW, LARGE_VIEW, OWN_VIEW)]
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 0)
    sets.append(load(windows, ModelLayout(3, Preprocessing((3, 9, 9), (0.0,) * 3, (1.0,) * 3))))
    assert isinstance(sets[-1].images, ImagesOnDemand)
    assert len({data.fingerprint for data in sets}) == 1
    subsets = {balanced_subset(data, 10, seed=0).fingerprint for data in sets}
    assert len(subsets) == 1
    assert subsets != {sets[0].fingerprint}
    victim = windows / "a/00.png"
    victim.write_bytes(victim.read_bytes() + b"more")
    assert load(windows, SMALL_VIEW).fingerprint != sets[0].fingerprint


@pytest.fixture
def read(monkeypatch):
    """The views that each file is decoded for, in the order of decoding."""
    calls = []
    decode = zoo.data.decoding.decoded_views.decode_views
    monkeypatch.setattr(
        "zoo.data.decoding.decoded_views.decode_views",
        lambda data, views: calls.append(views) or decode(data, views),
    )
    return calls


def both_views(windows):
    return [data.images for data in load_views(str(windows), "all", (SMALL_VIEW, LARGE_VIEW))]


def test_a_file_is_decoded_once_for_all_models_and_then_comes_from_the_cache(windows, read):
    small, large = both_views(windows)
    first, second = torch.cat(list(small.split(7))), torch.cat(list(large.split(5)))
    assert (first.shape[1:], second.shape[1:]) == ((3, 32, 32), (3, 48, 48))
    assert read == [(SMALL_VIEW, LARGE_VIEW)] * 24
    again = both_views(windows)
    assert not any(isinstance(images, ImagesOnDemand) for images in again)
    assert all(map(torch.equal, again, (first, second)))


def test_images_beyond_the_limit_are_freed_after_their_minibatch(windows, read, monkeypatch):
    expected = [images[:] for images in both_views(windows)]
    size = 3 * (32 * 32 + 48 * 48)
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 10 * size)
    monkeypatch.setattr(zoo.data.decoding.on_demand, "CHUNK", 1)
    small, large = both_views(windows)
    del read[:]
    for number, positions in enumerate(PositionsOnDemand(small).split(4)):
        # Those that stay, this minibatch, and the next one with one image per thread.
        assert len(small._shared._decoded) <= 10 + 4 + 4 + 2 * threads() + 1
        for images, all_images in zip((small, large), expected, strict=True):
            assert torch.equal(images[positions], all_images[4 * number : 4 * number + 4])
    assert len(read) == 24
    assert len(small._shared._decoded) <= 10
    assert isinstance(both_views(windows)[0], ImagesOnDemand)


def wait_for(condition):
    """Wait until a condition holds, for at most 20 seconds."""
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def by_position(windows):
    """Minibatches of 4 positions for models with two views."""
    return ShuffledBatches(load_views(str(windows), "all", (SMALL_VIEW, LARGE_VIEW))[0].by_position(), 4, seed=0)


def test_the_next_minibatch_is_decoded_while_the_models_run_on_this_one(windows, read):
    batches = iter(by_position(windows))
    next(batches)
    wait_for(lambda: len(read) >= 8)


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_no_thread_decodes_after_an_interruption(windows, failure):
    before = set(threading.enumerate())

    def interrupted():
        for _ in by_position(windows):
            raise failure

    with pytest.raises(failure):
        interrupted()
    assert set(threading.enumerate()) <= before


def test_a_file_that_was_damaged_meanwhile_is_named(windows):
    before = set(threading.enumerate())
    batches = by_position(windows)
    (windows / "a/12.png").write_bytes(b"no image")
    with pytest.raises(ZooError, match=r"a/12\.png was readable before, but no longer is \(not an image\)"):
        list(batches)
    assert set(threading.enumerate()) <= before


def test_images_of_one_size_are_the_same_for_every_view(here):
    root = write_folder(here / "pets")
    plain, seen = load(root), load(root, SMALL_VIEW)
    assert torch.equal(plain.images, seen.images)
    assert (seen.view, seen.fingerprint, seen.notes) == (None, plain.fingerprint, plain.notes)


def test_a_model_of_coloured_images_sees_grey_images_in_rgb(here):
    root = write_folder(here / "pets", mode="L")
    write_folder(root, per_class=4, side=20, mode="L")
    assert load(root, SMALL_VIEW).input_size == (3, 32, 32)
    grey = load(root, Layout(1, 8, 8, mixed=True))
    assert grey.input_size == grey.images[:].shape[1:] == (1, 8, 8)


def test_models_that_take_positions_share_the_minibatches(windows):
    small, large = (load(windows, view) for view in (SMALL_VIEW, LARGE_VIEW))
    models = [nn.Flatten(), nn.Flatten()]
    for model, data in zip(models, (small, large), strict=True):
        takes_positions(model, data.images)
    seen = [list(ShuffledBatches(data, 7, seed=3)) for data in (small, large)]
    for number, (positions, labels, indices) in enumerate(ShuffledBatches(small.by_position(), 7, seed=3)):
        for model, batches in zip(models, seen, strict=True):
            images, *rest = batches[number]
            assert torch.equal(model(positions), images.flatten(1))
            assert torch.equal(model(images), images.flatten(1))
            assert all(map(torch.equal, rest, (labels, indices)))


def test_a_subset_knows_the_positions_of_its_own_images(windows):
    subset = balanced_subset(load(windows, SMALL_VIEW), 10, seed=1)
    model = takes_positions(nn.Identity(), subset.images)
    assert torch.equal(model(subset.by_position().images[:]), subset.images[:])
