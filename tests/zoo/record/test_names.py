import pytest

from zoo.record.names import Columns, hub_id, recorded_name, same_dataset, short_name, split_columns, with_columns


@pytest.mark.parametrize(
    ("name", "short", "on_hub"),
    [
        ("digits", "digits", None),
        ("mnist5k:8", "mnist5k-8", None),
        ("cifar10", "cifar10", "uoft-cs/cifar10"),
        ("hf:you/pets@v1/x", "pets", "you/pets"),
        ("./data/my pets/", "my-pets", None),
        ("hf:you/pets@v1?label=breed", "pets-breed", "you/pets"),
        ("cifar100?label=coarse_label", "cifar100-coarse_label", "uoft-cs/cifar100"),
        (".", "images", None),
        ("..", "images", None),
    ],
)
def test_names_of_models_and_cards(name, short, on_hub):
    assert (short_name(name), hub_id(name)) == (short, on_hub)


def test_absolute_paths_are_not_recorded():
    assert [recorded_name(name) for name in ("./data/pets/", "/home/me/pets")] == ["data/pets", "pets"]


def test_other_names_are_recorded_as_they_are():
    for name in ("digits", "./digits", "mnist5k:8", "hf:you/pets@refs/convert/parquet"):
        assert recorded_name(name) == name


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("hf:you/pets@v1", "hf:you/pets", True),
        ("cifar10", "hf:uoft-cs/cifar10", True),
        ("data/pets", "pets", True),
        ("hf:me/pets", "hf:you/pets", False),
        ("mnist5k", "mnist5k:14", False),
        ("digits", "pets", False),
        ("hf:you/pets?label=breed", "hf:you/pets@v1", True),
        ("data/pets?label=breed", "pets?label=size", True),
    ],
)
def test_names_of_one_dataset_may_differ_by_revision_and_parent_folder(a, b, same):
    assert same_dataset(a, b) == same_dataset(b, a) == same


@pytest.mark.parametrize("columns", [Columns(), Columns("a b"), Columns(label="x/y?label=z&"), Columns("é", "100 %")])
@pytest.mark.parametrize("name", ["digits", "hf:you/pets@v1", "why?/pets", "a?b=c"])
def test_columns_are_part_of_a_name(name, columns):
    assert split_columns(with_columns(name, columns)) == (name, columns)


def test_bytes_that_are_not_utf8_are_not_recorded():
    assert recorded_name("data/p\udce9ts") == "data/p\ufffdts"
