"""Loading of images: `python -m tests.benchmarks.loading`.

First 5,000 PNG images of 32x32 in a parquet file, loaded by this package and as the documentation of `datasets` shows,
in turn. Then JPEG photos decoded on demand with one and two threads.
"""

import os
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

import zoo.data.load_split
from tests.benchmarks.in_turn import print_seconds, seconds
from tests.support.image_files import encoded, parquet
from zoo.data.decoding import prefetch as ahead
from zoo.data.sources import load_images

IMAGES, PHOTOS, RUNS = 5000, 400, 5


def main():
    """Print both tables."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ["ZOO_CACHE"] = str(root / "cache")
        small(root)
        photos(root)


def small(root):
    """Load a small dataset for the first and the second time, and with `datasets`."""
    from datasets import load_dataset

    random = np.random.default_rng(0)
    pictures = (Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)) for _ in range(IMAGES))
    (root / "set").mkdir()
    (root / "set/train.parquet").write_bytes(parquet([(i % 3, encoded(p)) for i, p in enumerate(pictures)]))

    def reference():
        data = load_dataset(str(root / "set"), split="train", cache_dir=str(root / "hf"))
        return np.ascontiguousarray(np.stack(list(data.with_format("numpy")["image"][:])).transpose(0, 3, 1, 2))

    def first():
        for file in (root / "cache/images").glob("*"):
            file.unlink()
        return load_images(str(root / "set"), "all")

    ways = {
        "datasets, with_format numpy": reference,
        "zoo, first time": first,
        "zoo, from its cache": lambda: load_images(str(root / "set"), "all"),
    }
    # `datasets` converts the table to Arrow once, for all alternatives.
    assert np.array_equal(first().images.numpy(), reference())
    print_seconds(f"{IMAGES:,} PNG of 32x32, seconds", ways, RUNS)


def photos(root):
    """Decode photos on demand with one and two threads."""
    random = np.random.default_rng(0)
    for number in range(PHOTOS):
        picture = Image.fromarray(random.integers(0, 256, (20, 25, 3), dtype=np.uint8)).resize((500, 375 + number % 2))
        place = root / "photos" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        picture.save(place / f"{number}.jpg")
    zoo.data.load_split.SMALL = 0
    images = load_images(str(root / "photos"), "all").images
    speeds = {1: [], 2: []}
    for _ in range(RUNS):
        for threads, values in speeds.items():
            ahead.threads = lambda threads=threads: threads
            values.append(PHOTOS / seconds(lambda: sum(len(part) for part in images.split(64))))
    print(f"\nJPEG of 500x375 to 256x256  images/s    min    max\n{'':4}(cores: {os.cpu_count()})")
    for threads, values in speeds.items():
        print(f"{threads} thread(s) {median(values):24.0f} {min(values):6.0f} {max(values):6.0f}")


if __name__ == "__main__":
    main()
