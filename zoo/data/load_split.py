"""Load one split of a dataset: from the cache, or decode it and cache it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import prod

import numpy as np
import torch
from torch import Tensor

from zoo.base.cache_folder import images_folder
from zoo.base.memory import USABLE, check_memory, free_memory
from zoo.data.decoding.decode import Layout, View
from zoo.data.decoding.decoded_views import DecodedViews
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
# Images of mixed sizes that are decoded between two steps of the progress bar.
STEP = 100
DIVIDED = "no test split; a fifth of the images of each class, by the hash of their files, is used for testing."


@dataclass(frozen=True)
class StoredSplit:
    """One split of a dataset before decoding.

    Args:
        name: name of the dataset.
        split: `train`, `test`, or `all`.
        identity: text that determines the images, for the cache.
        open_source: opens the dataset without decoding anything; may be called several times.
    """

    name: str
    split: str
    identity: str
    open_source: Callable[[], Source]

    @cached_property
    def files(self) -> ImageFiles:
        """The image files."""
        return find_split(self.open_source(), self.name, self.split)[0]

    def on_demand(self, cached: CachedSplit, layout: View, shared: DecodedViews | None = None) -> ImagesOnDemand:
        """Images to decode when they are used; `cached` has their rows and the hashes of their files."""
        assert cached.digests is not None
        return ImagesOnDemand(self.files, cached.rows, layout, cached.digests, shared)


def load_split(stored: StoredSplit, on_progress: OnProgress, views: Sequence[View | None]) -> list[ImageSet]:
    """Load one split of a dataset as each of several models sees it, from the cache if possible.

    Args:
        stored: the split.
        on_progress: called with the name of the step, the items done, and their total.
        views: how each model sees images of mixed sizes; None for one size that suits training.

    Returns:
        The images for each model. Models with equal views share a set, and so do all models if images have one size.

    Raises:
        ZooError: the images cannot be used.
    """
    cached = _checked_split(stored, on_progress)
    if not cached.layout.mixed:
        images = stored.on_demand(cached, cached.layout) if cached.images is None else cached.images
        return [_image_set(stored, cached, images)] * len(views)
    seen = [None if view is None else replace(view, channels=_channels(view, cached.layout)) for view in views]
    different = dict.fromkeys(view for view in seen if view is not None)
    images_by_view = _load_views(stored, cached, tuple(different))
    if None in seen:
        images_by_view[None] = _load_mixed(stored, cached, on_progress)
    sets = {view: _image_set(stored, cached, images, view) for view, images in images_by_view.items()}
    return [sets[view] for view in seen]


def _checked_split(stored: StoredSplit, on_progress: OnProgress) -> CachedSplit:
    path = cache_path(stored.identity)
    cached = read_cache(path)
    if cached is None:
        cached = _read_split(stored, on_progress)
        if not write_cache(path, f"{len(cached.labels)} {stored.name} {stored.split}", cached):
            note = f"cannot cache decoded images in {images_folder()}; choose another folder with ZOO_CACHE."
            cached = replace(cached, notes=(*cached.notes, note))
    return cached


def _load_mixed(stored: StoredSplit, checked: CachedSplit, on_progress: OnProgress) -> Images:
    """Decode images of mixed sizes, which have been checked, for training, if they are small and fit into memory."""
    pixels = _cached_pixels(stored, checked.layout)
    if pixels is not None:
        return pixels
    images = stored.on_demand(checked, checked.layout)
    free = free_memory()
    if prod(images.shape) > (SMALL if free is None else min(SMALL, USABLE * free)):
        return images
    pixels = _decode(images, on_progress)
    _cache_pixels(stored, checked, checked.layout, pixels)
    return pixels


def _load_views(stored: StoredSplit, checked: CachedSplit, views: Sequence[View]) -> dict[View | None, Images]:
    """Images of mixed sizes, which have been checked, for each view: from the cache, or decoded when they are used."""
    cached = {view: _cached_pixels(stored, view) for view in views}
    images: dict[View | None, Images] = {view: pixels for view, pixels in cached.items() if pixels is not None}
    missing = [view for view in views if view not in images]
    if missing:
        free = free_memory()
        # The models may use the rest.
        most = SMALL if free is None else min(SMALL, (1 - USABLE) * free)
        save = partial(_cache_pixels, stored, checked)
        shared = DecodedViews(stored.files, checked.rows, missing, most, save)
        images |= {view: stored.on_demand(checked, view, shared) for view in missing}
    return images


def _cached_pixels(stored: StoredSplit, layout: View) -> Tensor | None:
    cached = read_cache(cache_path(f"{stored.identity}, {layout}"))
    return None if cached is None else cached.images


def _cache_pixels(stored: StoredSplit, checked: CachedSplit, layout: View, pixels: Tensor) -> None:
    title = f"{len(pixels)} {stored.name} {stored.split}, {'x'.join(map(str, layout.shape[1:]))}"
    write_cache(cache_path(f"{stored.identity}, {layout}"), title, replace(checked, images=pixels))


def _decode(images: ImagesOnDemand, on_progress: OnProgress) -> Tensor:
    pixels = torch.empty(images.shape, dtype=torch.uint8)
    done = 0
    for part in images.split(STEP):
        pixels[done : done + len(part)] = part
        done += len(part)
        on_progress("decoding", done, len(images))
    return pixels


def _read_split(stored: StoredSplit, on_progress: OnProgress) -> CachedSplit:
    """Decode a small split of images of one size, or check every image of any other split."""
    source, name, split = stored.open_source(), stored.name, stored.split
    files, divided = find_split(source, name, split)
    rows = divide_split(files, split, on_progress) if divided else np.arange(len(files))
    if len(source.classes) < 2:
        why = "".join(f" ({note.rstrip('.')})" for note in source.notes[:1])
        raise ZooError(
            f"expected images of at least two classes in {name}, got {len(source.classes)}{why}; add another."
        )
    if split != "test":
        check_classes(name, torch.from_numpy(files.labels[rows]), source.classes)
    # All splits share the layout of the training images, so a model takes test images unchanged.
    layout = survey(source.splits.get(training_split(source.splits) or "", files), name, on_progress)
    images = digests = None
    size = len(rows) * prod(layout.shape)
    if not layout.mixed and size <= SMALL:
        check_memory(size, free_memory(), f"the images of {name}", "close other programs, or choose a smaller dataset")
        images, rows, notes = decode_all(files, rows, layout, name, on_progress)
    else:
        digests, rows, notes = check_all(files, rows, name, on_progress)
    labels = torch.from_numpy(files.labels[rows])
    return CachedSplit(
        classes=source.classes,
        layout=layout,
        notes=(*([DIVIDED] if divided else []), *source.notes, *notes, *_empty_note(labels, source.classes)),
        labels=labels,
        rows=torch.from_numpy(rows),
        images=images,
        digests=digests,
        paths=None if files.path is None else tuple(map(files.path, rows.tolist())),
    )


def _empty_note(labels: Tensor, classes: Sequence[str]) -> tuple[str, ...]:
    """Note classes without images, which only the test split may have."""
    empty = empty_classes(labels, classes)
    if not empty:
        return ()
    more = f" and {len(empty) - NAMED} more" if len(empty) > NAMED else ""
    return (f"no images of {len(empty)} of {len(classes)} classes: {', '.join(empty[:NAMED])}{more}.",)


def _channels(view: View, layout: Layout) -> int:
    """A model of RGB images sees grey images as RGB, as in timm; otherwise the images decide."""
    return 3 if view.channels == 3 else layout.channels


def _image_set(stored: StoredSplit, cached: CachedSplit, images: Images, view: View | None = None) -> ImageSet:
    layout = cached.layout
    return ImageSet(
        name=stored.name,
        split=stored.split,
        images=images,
        labels=cached.labels,
        indices=cached.rows,
        classes=cached.classes,
        notes=(*cached.notes, *([_layout_note(layout, view)] if layout.mixed else [])),
        paths=cached.paths,
        rows=cached.rows if cached.paths is None else None,
        digests=cached.digests if layout.mixed else None,
        view=view,
    )


def _layout_note(layout: Layout, view: View | None) -> str:
    if view is not None:
        return "images differ in size; each model sees them resized and cropped by its own preprocessing."
    return (
        f"images of other sizes were scaled to cover {layout.height}x{layout.width} pixels and cropped at the centre."
    )
