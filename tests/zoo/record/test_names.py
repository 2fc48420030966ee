import pytest

from zoo.record.names import hub_id, recorded_name, short_name


@pytest.mark.parametrize(
    ("name", "short", "on_hub"),
    [
        ("digits", "digits", None),
        ("mnist5k:8", "mnist5k-8", None),
        ("cifar10", "cifar10", "uoft-cs/cifar10"),
        ("hf:you/pets@v1/x", "pets", "you/pets"),
        ("./data/my pets/", "my-pets", None),
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
