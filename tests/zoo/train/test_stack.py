import pytest
import torch
from torch.nn.functional import cross_entropy

from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet, initialise
from zoo.record.recipe import Recipe
from zoo.train.loop import sgd
from zoo.train.side_by_side.stack import stack, unstack

VARIANT = Variant(8, 0.5, 3)


def new_models(count, variant=VARIANT):
    generator = torch.Generator().manual_seed(1)
    models = [CifarResNet(variant).double() for _ in range(count)]
    for model in models:
        initialise(model, generator)
    return models


def random_images(generator, count, variant=VARIANT):
    return torch.rand(count, 16, variant.in_chans, 8, 8, generator=generator, dtype=torch.float64)


def side_by_side(images):
    """From (models, n, channels, ...) to (n, models * channels, ...)."""
    return images.transpose(0, 1).flatten(1, 2)


@pytest.mark.parametrize("variant", [VARIANT, Variant(14, 1.1, 1, 7), Variant(14, 0.5, 3, 10, (1, 3, 2))], ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_stacked_logits_equal_those_of_single_models(generator, variant, training):
    models = [model.train(training) for model in new_models(3, variant)]
    images = random_images(generator, 3, variant)
    logits = stack(models).train(training)(side_by_side(images))
    expected = torch.stack([model(own) for model, own in zip(models, images, strict=True)], dim=1)
    torch.testing.assert_close(logits, expected, atol=1e-10, rtol=1e-10)


def test_steps_of_a_stack_are_the_steps_of_each(generator):
    recipe = Recipe(lr=0.1, weight_decay=0.3)
    models = new_models(3)
    stacked = stack(models)
    together, alone = sgd(stacked, recipe), [sgd(model, recipe) for model in models]
    for _ in range(4):
        images, labels = random_images(generator, 3), torch.randint(0, 10, (3, 16), generator=generator)
        logits = stacked(side_by_side(images))
        together.zero_grad()
        sum(cross_entropy(logits[:, number], own) for number, own in enumerate(labels)).backward()
        together.step()
        for model, optimiser, own, answers in zip(models, alone, images, labels, strict=True):
            optimiser.zero_grad()
            cross_entropy(model(own), answers).backward()
            optimiser.step()
    for ours, expected in zip(unstack(stacked), models, strict=True):
        torch.testing.assert_close(ours.state_dict(), expected.state_dict(), atol=1e-9, rtol=1e-9)


def test_unstacked_models_equal_the_originals_and_share_no_memory():
    models = new_models(3)
    stacked = stack(models)
    again = unstack(stacked)
    with torch.no_grad():
        for parameter in stacked.parameters():
            parameter.zero_()
    for ours, expected in zip(again, models, strict=True):
        torch.testing.assert_close(ours.state_dict(), expected.state_dict(), atol=0, rtol=0)
        assert all(parameter.requires_grad for parameter in ours.parameters())


def test_stacking_leaves_the_global_random_state_alone():
    models = new_models(2)
    before = torch.get_rng_state()
    unstack(stack(models))
    assert torch.equal(torch.get_rng_state(), before)


def test_nan_stays_within_its_model(generator):
    models = new_models(3)
    with torch.no_grad():
        models[1].stem.conv.weight.fill_(torch.nan)
    stacked, images = stack(models), random_images(generator, 3)
    logits = stacked(side_by_side(images))
    logits.sum().backward()
    assert logits[:, 1].isnan().all()
    assert logits[:, [0, 2]].isfinite().all()
    for parameter in stacked.parameters():
        assert parameter.grad.unflatten(0, (3, -1))[[0, 2]].isfinite().all()
