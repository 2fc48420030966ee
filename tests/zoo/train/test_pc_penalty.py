"""PC regularisation against its definition, computed independently in float64."""

import json
import shlex
from dataclasses import replace

import pytest
import torch
from torch import nn

from cards.model_card.model_card import model_card, training_command
from zoo.data.image_set import ImageSet
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet
from zoo.record.training import TrainingRecord
from zoo.train.loop import fit
from zoo.train.pc_penalty import PCRegulariser, later_relus, power_step


def reference(outputs, directions, alpha, delta):
    """Penalty and next directions, layer by layer as appendix G states it."""
    total, following = 0, []
    for output, u in zip(outputs, directions, strict=True):
        x = output.flatten(1)
        x = x - x.mean(0)
        v = x.T @ x @ u
        lam = v.pow(2).sum().sqrt()
        share = lam / x.pow(2).sum()
        total = total + alpha * (share - delta if share > delta else 0 * share)
        following.append((v / lam).detach())
    return total, following


def first_directions(sizes):
    """Directions that a generator with seed 0 draws for two layers of each size."""
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randn(2, size, generator=generator, dtype=torch.float64) for size in sizes]
    return [u / u.norm() for pair in drawn for u in pair]


def network():
    """Four ReLU layers: two of shape (2, 3, 3), two of shape (9,)."""
    torch.manual_seed(0)
    conv = [nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()]
    dense = [nn.Flatten(), nn.Linear(18, 9), nn.ReLU(), nn.Linear(9, 9), nn.ReLU()]
    return nn.Sequential(*conv, *dense).double()


def relus(model):
    return [module for module in model if isinstance(module, nn.ReLU)]


def relu_outputs(model, x):
    outputs = []
    for module in model:
        x = module(x)
        if isinstance(module, nn.ReLU):
            outputs.append(x)
    return outputs


def gradients(loss, model):
    found = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True, materialize_grads=True)
    return [gradient.clone() for gradient in found]


@pytest.mark.parametrize("delta", [0.0, 0.2, 0.55])
def test_value_and_gradient_are_those_of_the_definition_in_every_iteration(generator, delta):
    model = network()
    regulariser = PCRegulariser(relus(model), 0.7, torch.Generator().manual_seed(0), delta)
    directions = first_directions((18, 9))
    for _ in range(4):
        x = torch.randn(12, 1, 3, 3, generator=generator, dtype=torch.float64)
        with regulariser:
            model(x)
        penalty = regulariser.penalty()
        expected, directions = reference(relu_outputs(model, x), directions, 0.7, delta)
        torch.testing.assert_close(penalty, expected)
        for ours, theirs in zip(gradients(penalty, model), gradients(expected, model), strict=True):
            torch.testing.assert_close(ours, theirs)


def test_shares_below_delta_have_no_penalty_and_no_gradient(generator):
    model = network()
    regulariser = PCRegulariser(relus(model), 1, generator, delta=0.999)
    with regulariser:
        model(torch.randn(12, 1, 3, 3, dtype=torch.float64, generator=generator))
    penalty = regulariser.penalty()
    assert penalty == 0
    assert all((gradient == 0).all() for gradient in gradients(penalty, model))


def test_share_converges_to_that_of_the_first_component_from_below(generator):
    features = torch.randn(3, 20, 7, dtype=torch.float64, generator=generator)
    features[1] = features[1] @ torch.diag(torch.tensor([5.0, 1, 1, 1, 1, 1, 1], dtype=torch.float64)) + 100
    squares = torch.linalg.svdvals(features - features.mean(1, keepdim=True)).square()
    truth = squares[:, 0] / squares.sum(1)
    u = nn.functional.normalize(torch.randn(3, 7, dtype=torch.float64, generator=generator), dim=1)
    for _ in range(500):
        shares, u = power_step(features, u)
        assert (shares <= truth + 1e-12).all()
        assert not u.requires_grad
    torch.testing.assert_close(shares, truth, rtol=1e-8, atol=0)


@pytest.mark.parametrize("value", [0.0, 0.1, 1234.567])
def test_constant_layer_has_no_penalty_and_keeps_its_direction(generator, value):
    features = torch.cat([torch.full((1, 30, 8), value), torch.rand(1, 30, 8, generator=generator)]).requires_grad_()
    u = nn.functional.normalize(torch.randn(2, 8, generator=generator), dim=1)
    shares, following = power_step(features, u)
    (gradient,) = torch.autograd.grad(shares.sum(), features)
    assert shares[0] == 0
    assert (gradient[0] == 0).all() and gradient[1].isfinite().all() and (gradient[1] != 0).any()
    assert torch.equal(following[0], u[0]) and not torch.equal(following[1], u[1])


def test_direction_across_all_variance_is_kept(generator):
    features = torch.zeros(1, 4, 3)
    features[0, :, 0] = torch.arange(4)
    u = torch.tensor([[0.0, 1, 0]])
    shares, following = power_step(features.requires_grad_(), u)
    (gradient,) = torch.autograd.grad(shares.sum(), features)
    assert shares == 0 and torch.equal(following, u) and gradient.isfinite().all()


def test_minimising_the_penalty_reduces_the_share_to_delta(generator):
    layer = nn.Linear(6, 6)
    x = torch.randn(40, 6, generator=generator) + 5 * torch.randn(40, 1, generator=generator)
    regulariser = PCRegulariser([layer], 1, generator, delta=0.5)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
    penalties = []
    for _ in range(300):
        with regulariser:
            layer(x)
        penalties.append(regulariser.penalty())
        optimiser.zero_grad()
        penalties[-1].backward()
        optimiser.step()
    assert max(penalties[:5]) > 0.3
    assert penalties[-1] < 0.01


def test_hooks_are_always_removed(digits, brief):
    model = CifarResNet(Variant(8, 0.5, 1))

    def fail():
        raise KeyboardInterrupt

    with pytest.raises(RuntimeError), PCRegulariser(later_relus(model), 1, torch.Generator()):
        assert sum(len(module._forward_hooks) for module in model.modules()) == 4
        model(torch.zeros(2, 7, 8, 8))
    with pytest.raises(KeyboardInterrupt):
        fit(model, digits[0], replace(brief, pc_regularize=1), torch.Generator(), on_step=fail)
    assert not any(module._forward_hooks for module in model.modules())


def test_relus_from_stage_2_on_are_regularised(digits, brief):
    model = CifarResNet(Variant(14, 0.5, 1))
    names = {module: name for name, module in model.named_modules()}
    stages = [f"stage{stage}.{block}.relu{relu}" for stage in (2, 3) for block in (0, 1) for relu in (1, 2)]
    assert [names[module] for module in later_relus(model)] == stages
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    fit(other, digits[0], brief, torch.Generator())
    with pytest.raises(ZooError, match="expects a ResNet with ReLUs in modules stage2 or .*, got a Sequential"):
        fit(other, digits[0], replace(brief, pc_regularize=1), torch.Generator())


@pytest.fixture
def greys(generator):
    """One batch of images that differ mostly in brightness, which dominates every layer."""
    noise = torch.randint(0, 50, (64, 1, 8, 8), generator=generator)
    images = (noise + 3 * torch.arange(64).reshape(-1, 1, 1, 1)).to(torch.uint8)
    return ImageSet("greys", "train", images, torch.arange(64) % 10, torch.arange(64), tuple("0123456789"))


def steps(data, brief, alpha):
    """A model after four steps and before them, and the history, generator, and recipe of the run."""
    torch.manual_seed(0)
    model, start = CifarResNet(Variant(8, 0.5, 1)), CifarResNet(Variant(8, 0.5, 1))
    start.load_state_dict(model.state_dict())
    generator = torch.Generator().manual_seed(0)
    recipe = replace(brief, epochs=4, lr=0.1, pc_regularize=alpha)
    history = fit(model, data, recipe, generator)
    return model, start, history, generator, recipe


@pytest.mark.usefixtures("double")
def test_training_follows_the_gradient_of_both_terms(greys, brief):
    model, start, _, _, recipe = steps(greys, brief, alpha=3)
    optimiser = torch.optim.SGD(start.parameters(), momentum=recipe.momentum)
    outputs, penalties = [], []
    for relu in later_relus(start.train()):
        relu.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    # One block per stage: the two layers of a stage have one shape.
    directions = first_directions((16 * 4 * 4, 32 * 2 * 2))
    for epoch in range(4):
        outputs.clear()
        optimiser.param_groups[0]["lr"] = recipe.lr_at(epoch + 0.5)
        loss = nn.functional.cross_entropy(start(greys.images.float() / 255), greys.labels)
        penalty, directions = reference(outputs, directions, 3, 0.2)
        penalties.append(penalty.item())
        optimiser.zero_grad()
        (loss + penalty).backward()
        optimiser.step()
    assert penalties[1] > 0.5
    for ours, theirs in zip(model.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)


@pytest.mark.usefixtures("double")
def test_reported_loss_is_the_cross_entropy_and_the_order_stays_the_same(greys, brief):
    plain, _, without, generator, _ = steps(greys, brief, alpha=0)
    other, _, regularised, same, _ = steps(greys, brief, alpha=1e-12)
    assert [epoch.loss for epoch in without] == pytest.approx([epoch.loss for epoch in regularised], rel=1e-9)
    assert torch.equal(generator.get_state(), same.get_state())
    much = steps(greys, brief, alpha=1)[2]
    assert much[0].loss == without[0].loss


def test_records_from_before_load_without_regularisation(trained):
    old = json.loads(trained[1].to_json())
    del old["recipe"]["pc_regularize"]
    assert TrainingRecord.from_json(json.dumps(old)) == trained[1]


def test_card_mentions_the_penalty_only_if_used(trained):
    record = trained[1]
    regularised = replace(record, recipe=replace(record.recipe, pc_regularize=0.1))
    assert "regulari" not in training_command(record) + model_card(record)
    assert training_command(regularised).endswith("--pc-regularize 0.1")
    penalty = "with weight 0.1, suppressed the first principal components of the layers."
    assert f"{penalty}\nTraining took" in model_card(regularised)


@pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
def test_option_is_recorded_shown_and_named_by_the_cards_command(run, here):
    run("zoo", "train", "--depth", 8, "--width", 0.5, "--epochs", 1, "--pc-regularize", 1, "--out", "x")
    record = TrainingRecord.from_json((here / "x" / "training.json").read_bytes())
    assert record.recipe.pc_regularize == 1
    assert "PC regularisation 1" in " ".join(run("zoo", "show", "x").stdout.split())
    card = (here / "x" / "README.md").read_text()
    command = next(line for line in card.splitlines() if line.strip().startswith("zoo train"))
    assert "--pc-regularize 1.0" in command
    run(*shlex.split(command), "--out", "y")
    weights, again = ((here / name / "model.safetensors").read_bytes() for name in "xy")
    assert weights == again
    ran = run("zoo", "train", "--pc-regularize", -1)
    assert (ran.code, ran.stderr.count("\n")) == (2, 1)
    assert "--pc-regularize must be a finite number of at least 0, got -1.0" in ran.stderr
