"""Files are checked before they are read."""

import os
import time

import pytest

from zoo.base.files import file_sha256, read_file, writing
from zoo.errors import ZooError

KINDS = {
    "pipe": os.mkfifo,
    "folder": os.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "pipe behind a link": lambda path: (os.mkfifo(f"{path}.pipe"), path.symlink_to(f"{path}.pipe")),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [lambda path: read_file(path, 1000), file_sha256], ids=["read", "hash"])
def test_only_regular_files_are_read(tmp_path, kind, read):
    KINDS[kind](tmp_path / "file")
    start = time.perf_counter()
    with pytest.raises(ZooError, match="expected a file, but .*file is a"):
        read(tmp_path / "file")
    assert time.perf_counter() - start < 1


def test_an_error_without_a_number_gives_its_message(tmp_path):
    with (
        pytest.raises(ZooError, match="cannot write .*out .disk is gone.; choose another --out"),
        writing(tmp_path / "out"),
    ):
        raise OSError("disk is gone")


def test_huge_files_are_not_read(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(ZooError, match="expected at most 1,000 bytes in .*file, got 100,000,000,000"):
        read_file(tmp_path / "file", 1000)


def test_a_file_of_the_largest_size_is_read(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 10)
    assert read_file(tmp_path / "file", 10) == b"x" * 10
    with pytest.raises(ZooError, match=r"expected at most 9 bytes in .*file, got 10"):
        read_file(tmp_path / "file", 9)
