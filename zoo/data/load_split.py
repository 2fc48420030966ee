"""From a source to an image set: a split is found, surveyed, and decoded, or only checked where it is large."""

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np
import torch

from zoo.base.cache_folder import images_folder
from zoo.data.decoding.decode import Layout
from zoo.data.decoding.image_cache import KeptSplit, keep, kept_path, recall
from zoo.data.decoding.on_demand import ImagesOnDemand
from zoo.data.decoding.read_all import check_all, decode_all
from zoo.data.decoding.survey import survey
from zoo.data.image_set import Images, ImageSet, check_classes
from zoo.data.stored.image_files import ImageFiles, OnProgress, Source
from zoo.data.stored.splits import cut, find_split, training_split
from zoo.errors import ZooError

# Bytes that the decoded images of a split may take to be kept decoded.
SMALL = 2**30
DIVIDED = "there is no test split, so a fifth of the images of each class, by the hash of their files, is for testing."


def load_split(
    name: str, split: str, identity: str, open_source: Callable[[], Source], on_progress: OnProgress
) -> ImageSet:
    """One split of a data set, from the cache if it is there.

    Args:
        name: of the data set.
        split: `train`, `test` or `all`.
        identity: what decides the images.
        open_source: gives the data set before anything is decoded.
        on_progress: called with what is being done, how far it is, and where it ends.

    Raises:
        ZooError: the images cannot be used.
    """
    path = kept_path(identity)
    kept = recall(path)
    if kept is not None and kept.images is not None:
        return _image_set(name, split, kept)
    source = open_source()
    files, divided = find_split(source, name, split)
    if kept is None:
        rows = cut(files, split, on_progress) if divided else np.arange(len(files))
        kept = _look_through(source, files, rows, name, on_progress)
        kept = replace(kept, notes=(*((DIVIDED,) if divided else ()), *kept.notes))
        if not keep(path, f"{len(kept.labels)} {name} {split}", kept):
            note = f"decoded images cannot be kept in {images_folder()}; choose another folder with ZOO_CACHE."
            kept = replace(kept, notes=(*kept.notes, note))
    return _image_set(name, split, kept, files)


def _look_through(source: Source, files: ImageFiles, rows: np.ndarray, name: str, on_progress: OnProgress) -> KeptSplit:
    """Decode what is small, and check what is large."""
    if len(source.classes) < 2:
        raise ZooError(f"expected images of at least two classes in {name}, got {len(source.classes)}; add another.")
    check_classes(name, torch.from_numpy(files.labels[rows]), source.classes)
    # One layout for all splits, so that a model takes the test images as they are.
    layout = survey(source.splits.get(training_split(source.splits) or "", files), name, on_progress)
    images = digests = None
    if len(rows) * prod(layout.shape) <= SMALL:
        images, rows, notes = decode_all(files, rows, layout, name, on_progress)
    else:
        digests, rows, notes = check_all(files, rows, name, on_progress)
    labels = torch.from_numpy(files.labels[rows])
    notes = (*source.notes, *_layout_note(layout), *notes)
    return KeptSplit(source.classes, layout, notes, labels, torch.from_numpy(rows), images, digests)


def _layout_note(layout: Layout) -> tuple[str, ...]:
    if not layout.mixed:
        return ()
    return (
        f"images of other sizes were scaled to cover {layout.height}x{layout.width} pixels and cropped at the centre.",
    )


def _image_set(name: str, split: str, kept: KeptSplit, files: ImageFiles | None = None) -> ImageSet:
    """What is kept as an image set; where it has no decoded images, with those of the files."""
    images: Images | None = kept.images
    if images is None:
        assert files is not None and kept.digests is not None
        images = ImagesOnDemand(files, kept.rows, kept.layout, kept.digests)
    return ImageSet(name, split, images, kept.labels, kept.rows, kept.classes, kept.notes)
