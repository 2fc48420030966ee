from dataclasses import replace
from fractions import Fraction

import pytest

from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.grid.grid import grid
from zoo.record.recipe import recipe_for


def digits_grid(subsets=(Fraction(1),), depths=(8,), widths=(0.5,), seeds=(0,), **given):
    return grid(Variant, "digits", subsets, depths, widths, seeds, given)


def test_grid_is_every_combination_under_the_name_of_its_folder():
    runs = digits_grid((Fraction(1), Fraction(1, 4)), (14, 38), (1, 2), (0, 3))
    assert len(runs) == len({run.name for run in runs}) == 16
    assert runs[0].name == "resnet14-w1-digits-s0"
    assert runs[-1].name == "resnet38-w2-digits-1of4-s3"


def test_unset_options_use_the_recipe_of_each_depth():
    shallow, deep = digits_grid(depths=(14, 74), epochs=3, lr=None)
    assert (shallow.recipe.epochs, deep.recipe.epochs) == (3, 3)
    assert shallow.recipe.lr == recipe_for(Variant(14), "digits", {}).lr > deep.recipe.lr


def test_cost_grows_with_size_images_and_epochs():
    run = digits_grid()[0]
    assert digits_grid(epochs=2 * run.recipe.epochs)[0].cost == 2 * run.cost
    assert digits_grid((Fraction(1, 4),))[0].cost == run.cost / 4
    assert digits_grid(widths=(1,))[0].cost > 3 * run.cost


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"depths": (14, 15)}, "depth must be 6n\\+2"),
        ({"widths": (0,)}, "width must be above"),
        ({"seeds": (2**32,)}, "seeds must be from 0 to 4294967295"),
        ({"epochs": 0}, "--epochs must be"),
        ({"seeds": range(200), "depths": range(200)}, "at most 10,000 runs, got 40,000"),
    ],
)
def test_invalid_grid_is_reported_at_once(wrong, message):
    with pytest.raises(ZooError, match=message):
        digits_grid(**wrong)


def test_imagenet_family_has_a_grid_too():
    (run,) = grid(ImageNetResNet, "digits", [Fraction(1)], [53], [2.8], [0], {})
    assert run.name == "imagenet-resnet53-w2.8-digits-s0"
    assert run.arguments[:8] == ("train", "--resume", "--family", "imagenet", "--depth", "53", "--width", "2.8")
    assert run.cost > 0


@pytest.fixture
def finished(trained, brief, tmp_path):
    """A run, and a folder that holds its model."""
    run = replace(digits_grid()[0], recipe=brief)
    (tmp_path / run.name).mkdir()
    (tmp_path / run.name / "training.json").write_text(trained[1].to_json())
    return run, tmp_path


def test_finished_run_is_known_by_its_record(finished, trained):
    run, root = finished
    assert run.result(root) == trained[1]
    assert replace(run, seed=1).result(root) is None


def test_run_with_other_settings_is_reported(finished, brief):
    run, root = finished
    with pytest.raises(ZooError, match="comes from a run with epochs 2, not 3; choose another --out"):
        replace(run, recipe=replace(brief, epochs=3)).result(root)


def test_empty_folder_is_free_and_foreign_files_are_refused(finished):
    run, root = finished
    (root / run.name / "training.json").unlink()
    assert run.result(root) is None
    (root / run.name / "thesis.tex").write_text("mine")
    with pytest.raises(ZooError, match="exists, but is not a model folder"):
        run.result(root)
