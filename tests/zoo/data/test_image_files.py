"""Image files are checked before they are read."""

import os
import time

import pytest

from tests.support.image_files import write_folder
from zoo.data.sources import load_images
from zoo.data.stored.image_files import MAX_IMAGE, read_image


def sparse(path):
    with path.open("wb") as file:
        file.truncate(MAX_IMAGE + 1)


KINDS = {
    "pipe": (os.mkfifo, "is a pipe"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a pipe, a socket, or a device"),
    "too large": (sparse, "expected at most 256,000,000 bytes"),
    "pointer": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "run `git lfs pull`"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_image_file_is_not_read(tmp_path, kind):
    make, message = KINDS[kind]
    make(tmp_path / "image.png")
    start = time.perf_counter()
    with pytest.raises(OSError, match=message):
        read_image(tmp_path / "image.png")
    assert time.perf_counter() - start < 1


def test_a_dataset_leaves_out_huge_files(tmp_path):
    write_folder(tmp_path, per_class=10)
    sparse(tmp_path / "zero/huge.png")
    data = load_images(str(tmp_path), "all")
    assert len(data) == 30
    assert "skipped 1 unreadable image: " in data.notes[0] and "huge.png" in data.notes[0]
