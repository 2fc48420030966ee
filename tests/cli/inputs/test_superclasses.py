"""Superclasses from a data set on the Hub, by the genuine library."""

from io import BytesIO

import datasets
import pytest

from cli.inputs.superclasses import find_superclasses
from zoo.errors import ZooError


def seed(hub, fine, coarse, rows, columns=("fine_label", "coarse_label")):
    """A data set in the layout of uoft-cs/cifar100, without its images."""
    features = datasets.Features(
        {name: datasets.ClassLabel(names=names) for name, names in zip(columns, (fine, coarse), strict=True)}
    )
    table = datasets.Dataset.from_dict(dict(zip(columns, zip(*rows, strict=True), strict=True)), features=features)
    file = BytesIO()
    table.to_parquet(file)
    hub.seed("you/data", {"data/test-00000-of-00001.parquet": file.getvalue()}, kind="dataset")


@pytest.fixture(autouse=True)
def own_cache(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")


def test_coarse_labels_are_superclasses(hub):
    seed(hub, ["cat", "oak", "dog"], ["animal", "tree"], [(0, 0), (1, 1), (2, 0), (0, 0)])
    assert find_superclasses("you/data", ("dog", "oak")) == {"dog": "animal", "oak": "tree"}


def test_what_does_not_fit_is_told_in_one_line(hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seed(hub, ["cat", "oak"], ["animal", "tree"], [(0, 0), (1, 1)])
    with pytest.raises(ZooError, match=r"a superclass for each of the 2 classes in you/data, got none for 'fish'"):
        find_superclasses("you/data", ("cat", "fish"))
    with pytest.raises(ZooError, match="dataset you/nothing: "):
        find_superclasses("you/nothing", ("cat",))
    with pytest.raises(ZooError, match="cannot read nowhere"):
        find_superclasses("nowhere", ("cat",))


def test_a_class_in_two_superclasses_is_refused(hub):
    seed(hub, ["cat"], ["animal", "tree"], [(0, 0), (0, 1)])
    with pytest.raises(ZooError, match="each class of you/data in one superclass, got one in several"):
        find_superclasses("you/data", ("cat",))


def test_other_columns_are_named(hub):
    seed(hub, ["cat"], ["animal"], [(0, 0)], columns=("label", "group"))
    with pytest.raises(ZooError, match="class labels fine_label and coarse_label in you/data, got label, group"):
        find_superclasses("you/data", ("cat",))
