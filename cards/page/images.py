"""Galleries of images on a page, embedded as data URIs."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO

import numpy as np

from cards.page.page import Gallery, Picture
from cards.pictures.inspection import Image
from cards.tables.structure import LEFT_OUT
from cards.words.facts import class_name, dominant_fact, predicted_names, source_fact, true_class
from cards.words.legible import percent
from compare.result.comparison import CKAWithoutDominant
from compare.result.disagreement import Disagreement, Example
from compare.result.inside import Block, DominantExample

# Pixels on the longer side. Larger images would make the file too large.
SIDE = 96
MOST_DISAGREED = 20


def dominant_galleries(
    title: str, blocks: Sequence[Block], classes: Sequence[str], images: Mapping[int, Image]
) -> tuple[Gallery, ...]:
    """One gallery of dominant images per block. Blocks without images are skipped.

    Args:
        title: start of the titles, such as `Layers`; the numbers of the layers are appended.
        blocks: block structures of one model.
        classes: class names.
        images: images by index.
    """
    return tuple(
        Gallery(f"{title} {block.start} to {block.stop - 1}", pictures, dominant_fact(block.dominant))
        for block in blocks
        if (pictures := tuple(_dominant(block.dominant.examples, classes, images)))
    )


def left_out_gallery(
    without: CKAWithoutDominant, classes: Sequence[str], images: Mapping[int, Image]
) -> Gallery | None:
    """The images that dominate CKA between two models, or None if none of them is available.

    Args:
        without: CKA without these images.
        classes: class names.
        images: images by index.
    """
    pictures = tuple(_dominant(without.examples, classes, images))
    return Gallery(LEFT_OUT, pictures) if pictures else None


def _dominant(
    examples: Sequence[DominantExample], classes: Sequence[str], images: Mapping[int, Image]
) -> Iterator[Picture]:
    for example in examples:
        if example.index in images:
            name = class_name(classes, example.label)
            lines = [name, f"{percent(example.pc1_share)} % of PC1", f"image {example.index}", source_fact(example)]
            description = f"image {example.index}, {name}"
            yield Picture(data_uri(images[example.index]), description, tuple(filter(None, lines)))


def disagreed_gallery(
    disagreement: Disagreement, classes: Sequence[str], images: Mapping[int, Image]
) -> Gallery | None:
    """The images that two models predict differently, or None if none of them is available.

    Args:
        disagreement: the predictions of the models.
        classes: class names of the dataset.
        images: images by index; examples without an image are skipped.
    """
    available = [example for example in disagreement.examples if example.index in images][:MOST_DISAGREED]
    pictures = tuple(_disagreed(disagreement, example, classes, images[example.index]) for example in available)
    left_out = len(disagreement.examples) - len(available)
    caption = f"And {left_out:,} more, all in --json." if left_out else ""
    return Gallery("", pictures, caption) if pictures else None


def _disagreed(disagreement: Disagreement, example: Example, classes: Sequence[str], image: Image) -> Picture:
    names, right = predicted_names(disagreement, classes), true_class(disagreement, example)
    predictions = (
        ("a", example.prediction_a, example.confidence_a),
        ("b", example.prediction_b, example.confidence_b),
    )
    label = "" if example.label is None else classes[example.label]
    lines = [f"image {example.index}" + (f": {label}" if label else "")]
    for model, prediction, confidence in predictions:
        mark = "" if right is None else " \N{CHECK MARK}" if prediction == right else " \N{BALLOT X}"
        lines.append(f"{model}: {names[prediction]} ({confidence:.0%}){mark}")
    if source := source_fact(example):
        lines.append(source)
    return Picture(data_uri(image), ", ".join(lines), tuple(lines), _tags(example, label, right))


def _tags(example: Example, label: str, right: int | None) -> dict[str, str]:
    """The properties by which a reader can filter: class, which model is right, and the lower of both confidences."""
    low = min(example.confidence_a, example.confidence_b)
    confidence = "90 % or more" if low >= 0.9 else "50 to 90 %" if low >= 0.5 else "below 50 %"
    tags = {"class": label} if label else {}
    if right is not None:
        tags["right"] = {example.prediction_a: "only a", example.prediction_b: "only b"}.get(right, "neither")
    return tags | {"lower confidence": confidence}


def data_uri(image: Image) -> str:
    """A thumbnail as a PNG data URI, at most 96 pixels on the longer side.

    Args:
        image: shape (height, width, channels) with 1 or 3 channels, values from 0 to 255.
    """
    from PIL import Image as Pillow

    values = np.array(image, dtype=np.uint8)
    picture = Pillow.fromarray(values[..., 0] if values.shape[2] == 1 else values[..., :3])
    picture.thumbnail((SIDE, SIDE))
    buffer = BytesIO()
    picture.save(buffer, "png")
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
