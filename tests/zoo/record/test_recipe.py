import pytest

from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.record.recipe import Recipe, recipe_for


def test_rate_falls_to_zero_along_a_cosine():
    recipe = Recipe(epochs=20, lr=0.4)
    assert [recipe.lr_at(t) for t in (0, 5, 10, 20)] == pytest.approx([0.4, 0.2 * (1 + 0.5**0.5), 0.2, 0])


def test_rate_rises_along_a_line_in_a_warm_up():
    recipe = Recipe(epochs=20, lr=0.4, warm_up=0.2)
    assert [recipe.lr_at(t) for t in (0, 1, 4, 12, 20)] == pytest.approx([0, 0.1, 0.4, 0.2, 0])


def test_papers_recipe_is_the_default():
    recipe = recipe_for(Variant(110), "any other data set", {})
    assert (recipe.epochs, recipe.batch_size, recipe.momentum, recipe.shift, recipe.flip) == (300, 128, 0.9, 4, True)


@pytest.mark.parametrize(("depth", "lr"), [(8, 0.1), (14, 0.1), (38, 0.078), (74, 0.04), (164, 0.018)])
def test_rate_on_digits_falls_with_the_depth(depth, lr):
    assert recipe_for(Variant(depth), "digits", {}).lr == lr


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
