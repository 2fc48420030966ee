"""Images that do not fit into the free memory are refused, or decoded on demand."""

import pytest

import zoo.data.load_split
from tests.support.image_files import write_folder
from zoo.data.decoding.on_demand import ImagesOnDemand
from zoo.data.sources import load_images
from zoo.errors import ZooError


def test_images_of_one_size_are_refused_before_they_are_decoded(here, monkeypatch):
    write_folder(here / "pets", per_class=5)
    monkeypatch.setattr(zoo.data.load_split, "free_memory", lambda: 100)
    with pytest.raises(ZooError, match="of free memory for the images of pets, got 0.0 GB; close other programs"):
        load_images("pets", "all")


def test_images_of_mixed_sizes_are_decoded_on_demand(here, monkeypatch):
    write_folder(here / "pets", per_class=5)
    write_folder(here / "pets", per_class=5, side=12)
    monkeypatch.setattr(zoo.data.load_split, "free_memory", lambda: 100)
    assert isinstance(load_images("pets", "all").images, ImagesOnDemand)
    monkeypatch.setattr(zoo.data.load_split, "free_memory", lambda: None)
    assert not isinstance(load_images("pets", "all").images, ImagesOnDemand)
