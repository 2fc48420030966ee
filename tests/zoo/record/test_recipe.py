import pytest

from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.record.recipe import Recipe, describe, recipe_for, recipe_name, shorter_recipe


def test_rate_falls_to_zero_along_a_cosine():
    recipe = Recipe(epochs=20, lr=0.4)
    assert [recipe.lr_at(t) for t in (0, 5, 10, 20)] == pytest.approx([0.4, 0.2 * (1 + 0.5**0.5), 0.2, 0])


def test_rate_rises_along_a_line_in_a_warm_up():
    recipe = Recipe(epochs=20, lr=0.4, warm_up=0.2)
    assert [recipe.lr_at(t) for t in (0, 1, 4, 12, 20)] == pytest.approx([0, 0.1, 0.4, 0.2, 0])


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "hf:uoft-cs/cifar10@main"])
def test_papers_recipe_is_that_of_its_datasets(dataset):
    recipe = recipe_for(Variant(110), dataset, {})
    assert (recipe.epochs, recipe.batch_size, recipe.momentum, recipe.shift, recipe.flip) == (300, 128, 0.9, 4, True)


@pytest.mark.parametrize("dataset", ["pets", "data/cifar10", "hf:me/pets"])
def test_other_datasets_use_a_recipe_of_30_epochs(dataset):
    for choice in (Variant(14), "resnet18", ImageNetResNet(50, 1)):
        assert recipe_name(choice, dataset) == "quick"
        recipe = recipe_for(choice, dataset, {})
        assert (recipe.epochs, recipe.lr, recipe.weight_decay, recipe.shift, recipe.flip) == (30, 0.03, 0.002, 2, False)


def test_architectures_of_timm_use_the_recipe_of_imagenet_on_imagenet():
    assert recipe_name("resnet18", "imagenet-1k") == recipe_name(ImageNetResNet(50, 1), "cifar10") == "imagenet"


def test_recipe_is_described_with_what_was_changed():
    recipe = recipe_for(Variant(14), "cifar10", {"epochs": 1, "lr": 0.05, "precision": "bf16"})
    assert describe(recipe, "paper", Variant(14)) == "1 epoch, recipe paper with lr 0.05, precision bf16"
    assert describe(recipe_for(Variant(14), "digits", {}), "digits", Variant(14)) == "30 epochs, recipe digits"


@pytest.mark.parametrize(
    ("dataset", "name", "epochs", "shorter"),
    [
        ("cifar10", "paper", None, "short"),
        ("cifar10", "paper", 200, None),
        ("cifar10", "short", None, None),
        ("pets", "paper", None, "quick"),
        ("pets", "quick", None, None),
        ("digits", "digits", None, None),
        ("digits", "imagenet", None, "digits"),
    ],
)
def test_shorter_recipe_has_fewer_epochs(dataset, name, epochs, shorter):
    recipe = recipe_for(Variant(14), dataset, {"epochs": epochs}, name)
    assert shorter_recipe(recipe, name, Variant(14), dataset) == shorter


@pytest.mark.parametrize(("depth", "lr"), [(8, 0.1), (14, 0.1), (38, 0.078), (74, 0.04), (164, 0.018)])
def test_rate_on_digits_falls_with_the_depth(depth, lr):
    assert recipe_for(Variant(depth), "digits", {}).lr == lr


def test_deep_variants_get_a_smaller_rate_on_other_datasets():
    assert [recipe_for(Variant(depth), "pets", {}).lr for depth in (98, 110, 164)] == [0.03, 0.027, 0.018]


@pytest.mark.parametrize("name", ["mnist5k", "mnist5k:14", "mnist5k:8"])
def test_mnist_digits_of_any_size_use_the_recipe_of_digits(name):
    assert recipe_for(Variant(38), name, {}) == recipe_for(Variant(38), "digits", {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 1),
        ("lr", -1.0),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("weight_decay", -1e-4),
        ("pc_regularize", -0.1),
        ("pc_regularize", float("nan")),
    ],
)
def test_values_out_of_range_are_refused_by_option(field, value):
    with pytest.raises(ZooError, match=f"--{field.replace('_', '-')} must be .* got {value}"):
        Recipe(**{field: value})
