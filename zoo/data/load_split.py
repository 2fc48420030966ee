"""Load one split of a dataset: from the cache, or decode it and cache it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import numpy as np
import torch

from zoo.base.cache_folder import images_folder
from zoo.data.decoding.decode import Layout
from zoo.data.decoding.image_cache import CachedSplit, cache_path, read_cache, write_cache
from zoo.data.decoding.on_demand import ImagesOnDemand
from zoo.data.decoding.read_all import NAMED, check_all, decode_all
from zoo.data.decoding.survey import survey
from zoo.data.image_set import Images, ImageSet, check_classes, empty_classes
from zoo.data.stored.image_files import ImageFiles, OnProgress, Source
from zoo.data.stored.splits import divide_split, find_split, training_split
from zoo.errors import ZooError

# Splits of at most this many bytes are decoded at once and cached; larger ones are decoded on demand.
SMALL = 2**30
DIVIDED = "no test split; a fifth of the images of each class, by the hash of their files, is used for testing."


def load_split(
    name: str, split: str, identity: str, open_source: Callable[[], Source], on_progress: OnProgress
) -> ImageSet:
    """Load one split of a dataset, from the cache if possible.

    Args:
        name: name of the dataset.
        split: `train`, `test`, or `all`.
        identity: text that determines the images, for the cache.
        open_source: opens the dataset without decoding anything.
        on_progress: called with the name of the step, the items done, and their total.

    Raises:
        ZooError: the images cannot be used.
    """
    path = cache_path(identity)
    cached = read_cache(path)
    if cached is not None and cached.images is not None:
        return _image_set(name, split, cached)
    source = open_source()
    files, divided = find_split(source, name, split)
    if cached is None:
        rows = divide_split(files, split, on_progress) if divided else np.arange(len(files))
        cached = _read_split(source, files, rows, name, split, on_progress)
        cached = replace(cached, notes=((DIVIDED, *cached.notes) if divided else cached.notes))
        if not write_cache(path, f"{len(cached.labels)} {name} {split}", cached):
            note = f"cannot cache decoded images in {images_folder()}; choose another folder with ZOO_CACHE."
            cached = replace(cached, notes=(*cached.notes, note))
    return _image_set(name, split, cached, files)


def _read_split(
    source: Source, files: ImageFiles, rows: np.ndarray, name: str, split: str, on_progress: OnProgress
) -> CachedSplit:
    """Decode a small split, or check every image of a large one."""
    if len(source.classes) < 2:
        raise ZooError(f"expected images of at least two classes in {name}, got {len(source.classes)}; add another.")
    if split != "test":
        check_classes(name, torch.from_numpy(files.labels[rows]), source.classes)
    # All splits share the layout of the training images, so a model takes test images unchanged.
    layout = survey(source.splits.get(training_split(source.splits) or "", files), name, on_progress)
    images = digests = None
    if len(rows) * prod(layout.shape) <= SMALL:
        images, rows, notes = decode_all(files, rows, layout, name, on_progress)
    else:
        digests, rows, notes = check_all(files, rows, name, on_progress)
    labels = torch.from_numpy(files.labels[rows])
    return CachedSplit(
        classes=source.classes,
        layout=layout,
        notes=(*source.notes, *_layout_note(layout), *notes, *_empty_note(labels, source.classes)),
        labels=labels,
        rows=torch.from_numpy(rows),
        images=images,
        digests=digests,
        paths=None if files.path is None else tuple(map(files.path, rows.tolist())),
    )


def _empty_note(labels: torch.Tensor, classes: Sequence[str]) -> tuple[str, ...]:
    """Note classes without images, which only the test split may have."""
    empty = empty_classes(labels, classes)
    if not empty:
        return ()
    more = f" and {len(empty) - NAMED} more" if len(empty) > NAMED else ""
    return (f"no images of {len(empty)} of {len(classes)} classes: {', '.join(empty[:NAMED])}{more}.",)


def _layout_note(layout: Layout) -> tuple[str, ...]:
    if not layout.mixed:
        return ()
    return (
        f"images of other sizes were scaled to cover {layout.height}x{layout.width} pixels and cropped at the centre.",
    )


def _image_set(name: str, split: str, cached: CachedSplit, files: ImageFiles | None = None) -> ImageSet:
    """Image set of a cached split; images that are not cached come from the files on demand."""
    images: Images | None = cached.images
    if images is None:
        assert files is not None and cached.digests is not None
        images = ImagesOnDemand(files, cached.rows, cached.layout, cached.digests)
    return ImageSet(
        name=name,
        split=split,
        images=images,
        labels=cached.labels,
        indices=cached.rows,
        classes=cached.classes,
        notes=cached.notes,
        paths=cached.paths,
        rows=cached.rows if cached.paths is None else None,
    )
