"""Load a model from a reference, or download it into a folder."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.hub.fetch import EXTRAS, Snapshot, fetch, pin
from zoo.hub.find import find_model
from zoo.hub.ref import parse_ref
from zoo.model_folder.folder import new_folder
from zoo.model_folder.weights import config_files, weight_files

if TYPE_CHECKING:
    from torch import nn


def load(ref: str | Path, device: str = "cpu") -> "nn.Module":
    """Load a model from a folder or the Hub, ready for images.

    The model preprocesses its inputs as its config.json says: it repeats a single channel, resizes, crops, and
    normalises. So models with different preprocessing take the same images. Resized images are rounded to 256 levels,
    so no gradient passes through a resize.

    Args:
        ref: path of a model folder, or a Hub id `owner/name[@revision]`.
        device: a torch device, or `auto` for the fastest one available.

    Returns:
        The model in eval mode. It takes float images in [0, 1] or uint8 images, shape (n, channels, height, width), of
        any size, and returns logits, shape (n, classes), or the features of an encoder without a classifier. Its
        attribute `class_names` holds the names of the classes, so that `compare` matches them with the classes of the
        images; None if its configuration has none.

    Raises:
        ZooError: the model does not exist, cannot be downloaded, or is damaged; or there is no such device.

    Example:
        >>> import tempfile, zoo
        >>> variant = zoo.variants("cifar", depths=[8], widths=[0.5])[0]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = zoo.train_model(variant, "digits", epochs=1, out=f"{folder}/tiny")
        ...     model = zoo.load(f"{folder}/tiny")
        >>> images, labels, indices = next(iter(zoo.images("digits", batch_size=4)))
        >>> model(images).shape
        torch.Size([4, 10])
    """
    from zoo.base.device import pick_device

    return find_model(str(ref)).load(pick_device(device))


def pull(ref: str, out: str | Path | None = None, *, force: bool = False) -> Path:
    """Download a model from the Hub: configuration, weights, model card with pictures, and training record.

    Args:
        ref: a Hub id `owner/name[@revision]`.
        out: model folder to write; the Hub's cache if None.
        force: replace a model folder that exists at `out`.

    Returns:
        The folder that holds the model.

    Raises:
        ZooError: the model does not exist or cannot be downloaded, `ref` is a local folder, or `out` cannot be written.

    Example:
        >>> import zoo
        >>> zoo.pull("me/resnet14-w1-digits@v1", out="models/theirs")  # doctest: +SKIP
        PosixPath('models/theirs')
    """
    place = parse_ref(ref)
    if isinstance(place, Path):
        raise ZooError(f"expected a Hub id OWNER/NAME, got the folder {ref}, which is already local.")
    return pull_snapshot(pin(place), None if out is None else Path(out), force=force)


def pull_snapshot(snapshot: Snapshot, out: Path | None, *, force: bool = False) -> Path:
    """Download all files of a model at one commit.

    Args:
        snapshot: the model repository at a commit.
        out: model folder to write; the Hub's cache if None.
        force: replace a model folder that exists at `out`.

    Returns:
        The folder that holds the model.

    Raises:
        ZooError: a file cannot be downloaded, or `out` cannot be written.
    """
    if out is None:
        return fetch(snapshot, whole=True)
    with new_folder(out, force) as fresh:
        source = fetch(snapshot, whole=True)
        with writing(fresh):
            for path in (*config_files(source), *weight_files(source), *(source / name for name in EXTRAS)):
                if path.is_file():
                    shutil.copyfile(path, fresh / path.name)
    return out
