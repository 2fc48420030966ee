import pytest

from zoo.errors import ZooError
from zoo.recipe import Recipe, default_recipe


def test_rate_rises_to_its_highest_then_falls_to_zero_along_a_cosine():
    recipe = Recipe(epochs=10, lr=0.4, warmup=2)
    assert [recipe.lr_at(t) for t in (0, 1, 2, 6, 10)] == pytest.approx([0, 0.2, 0.4, 0.2, 0])


def test_without_warmup_the_first_rate_is_the_highest():
    assert Recipe(lr=0.1).lr_at(0) == 0.1


def test_papers_recipe_is_the_default():
    recipe = default_recipe("any other data set")
    assert (recipe.epochs, recipe.batch_size, recipe.momentum, recipe.shift, recipe.flip) == (300, 128, 0.9, 4, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 1),
        ("lr", -1.0),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("weight_decay", -1e-4),
    ],
)
def test_values_out_of_range_are_refused_by_option(field, value):
    with pytest.raises(ZooError, match=f"--{field.replace('_', '-')} must be .* got {value}"):
        Recipe(**{field: value})
