"""Image files of handwritten digits in several formats."""

import io

import numpy as np
from PIL import Image

from zoo.data.digits import load_digits


def digit_images(per_class, classes=3, side=8):
    """Yield (class, grey image) for the first `per_class` digits of each class."""
    data = load_digits("all")
    for label in range(classes):
        for place in np.flatnonzero(data.labels.numpy() == label)[:per_class]:
            picture = Image.fromarray(data.images[int(place), 0].numpy())
            yield label, picture if side == 8 else picture.resize((side, side), Image.Resampling.BICUBIC)


def encoded(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def write_folder(root, per_class=10, classes=3, side=8, form="PNG", mode="RGB"):
    """Write a folder of images with one subfolder per class: `zero`, `one`, ..."""
    names = ("zero", "one", "two", "three", "four")
    for number, (label, picture) in enumerate(digit_images(per_class, classes, side)):
        place = root / names[label]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{side:03}-{number:04}.{form.lower()}").write_bytes(encoded(picture.convert(mode), form))
    return root


def parquet(images, names=("zero", "one", "two"), column="image", label="label", plain=False):
    """A parquet file, as on the Hub, from (label, encoded image) pairs."""
    import datasets

    kind = datasets.Value("string") if plain else datasets.ClassLabel(names=list(names))
    features = datasets.Features({column: datasets.Image(), label: kind})
    rows = {
        column: [{"bytes": data, "path": None} for _, data in images],
        label: [names[number] if plain else number for number, _ in images],
    }
    buffer = io.BytesIO()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(buffer)
    return buffer.getvalue()


def digit_rows(per_class, classes=3, side=8):
    return [(label, encoded(picture.convert("RGB"))) for label, picture in digit_images(per_class, classes, side)]
