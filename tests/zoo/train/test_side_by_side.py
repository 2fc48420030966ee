from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.utils import parameters_to_vector
from torch.utils._python_dispatch import TorchDispatchMode

import zoo.data.load_split
import zoo.train.side_by_side.train
from tests.support.image_files import write_folder
from zoo.data.image_set import balanced_subset
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet, initialise
from zoo.train.side_by_side.loop import fit_many
from zoo.train.side_by_side.train import train_many
from zoo.train.train import train_model

pytestmark = pytest.mark.slow

VARIANT = Variant(8, 0.5, 1)
SEEDS = (3, 0, 5)
# Far above what double precision leaves of equal sums taken in another order, over ten steps.
ROUNDING = {"atol": 1e-9, "rtol": 1e-9}


@pytest.fixture(scope="module")
def augmented(brief):
    return replace(brief, weight_decay=1e-2, shift=1, flip=True)


def equal(ours, expected):
    torch.testing.assert_close(ours.state_dict(), expected.state_dict(), **ROUNDING)


@pytest.mark.usefixtures("double")
def test_each_seed_equals_a_single_run(digits, augmented):
    parts = [balanced_subset(digits[0], 320, seed) for seed in SEEDS]
    together = train_many(VARIANT, parts, digits[1], augmented, SEEDS, subset=Fraction(2, 9))
    assert [one.seed for one in together] == list(SEEDS)
    for one, part in zip(together, parts, strict=True):
        ours, own = one.result
        model, record = train_model(VARIANT, part, digits[1], augmented, seed=one.seed, subset=Fraction(2, 9))
        equal(ours, model)
        assert not ours.training
        assert [epoch.loss for epoch in own.history] == pytest.approx(
            [epoch.loss for epoch in record.history], rel=1e-9
        )
        assert replace(own, history=record.history, seconds=record.seconds) == record


@pytest.mark.usefixtures("double")
def test_images_that_all_share_are_drawn_by_each_seed_in_its_own_order(digits, augmented):
    part = balanced_subset(digits[0], 128, 0)
    for one in train_many(VARIANT, [part] * 3, digits[1], augmented, SEEDS):
        equal(one.result[0], train_model(VARIANT, part, digits[1], augmented, seed=one.seed)[0])


def test_fewer_images_than_a_batch_are_one_step(digits, augmented):
    part, steps = balanced_subset(digits[0], 40, 0), []
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    fit_many([CifarResNet(VARIANT)] * 2, [part] * 2, augmented, generators, on_step=lambda: steps.append(1))
    assert len(steps) == augmented.epochs


class Operations(TorchDispatchMode):
    """Names of all operations that ran since the last call."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.seen.add(operation.overloadpacket.__name__)
        return operation(*args, **(kwargs or {}))

    def look(self):
        seen, self.seen = self.seen, set()
        return seen


def test_a_step_neither_reads_from_the_device_nor_draws(digits, augmented):
    part, looks = balanced_subset(digits[0], 192, 0), []
    with Operations() as operations:
        fit_many(
            [CifarResNet(VARIANT)] * 2,
            [part] * 2,
            replace(augmented, epochs=1),
            [torch.Generator() for _ in range(2)],
            on_step=lambda: looks.append(operations.look()),
        )
    assert "randperm" in looks[0] and "convolution_backward" in looks[2]
    # What would wait for the device, or draw.
    assert not (looks[1] | looks[2]) & {"_local_scalar_dense", "nonzero", "equal", "randint", "rand", "randperm"}


def test_callback_gets_the_mean_over_models_for_every_epoch(digits, brief):
    epochs = []
    models = [CifarResNet(VARIANT) for _ in range(2)]
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    one, other = fit_many(models, [digits[0]] * 2, brief, generators, on_epoch=epochs.append)
    means = [(a.loss + b.loss) / 2 for a, b in zip(one.history, other.history, strict=True)]
    assert [epoch.loss for epoch in epochs] == pytest.approx(means)


@pytest.mark.usefixtures("double")
def test_diverging_model_does_not_affect_the_others(digits, augmented, generator):
    part = balanced_subset(digits[0], 128, 0)
    models = [CifarResNet(VARIANT) for _ in range(3)]
    for model in models:
        initialise(model, generator)
    with torch.no_grad():
        models[1].stage2[0].conv1.weight.fill_(torch.inf)
    trained = fit_many(models, [part] * 3, augmented, [torch.Generator() for _ in models])
    assert [len(one.history) for one in trained] == [2, 0, 2]
    assert [one.trouble for one in trained] == [None, "the loss became nan in epoch 1", None]
    without = fit_many([models[0], models[2]], [part] * 2, augmented, [torch.Generator() for _ in range(2)])
    equal(trained[0].model, without[0].model)
    equal(trained[2].model, without[1].model)


def test_diverged_seeds_are_reported_without_model(digits, brief):
    part = balanced_subset(digits[0], 128, 0)
    for one in train_many(VARIANT, [part] * 2, digits[1], replace(brief, lr=1e30), (0, 1)):
        assert one.result is None
        assert one.error == "the loss became nan in epoch 1 of 2; try a smaller --lr than 1e+30."


def test_training_leaves_the_global_random_state_alone(digits, augmented):
    before = torch.get_rng_state()
    part = balanced_subset(digits[0], 64, 0)
    train_many(VARIANT, [part] * 2, digits[1], augmented, (0, 1))
    assert torch.equal(torch.get_rng_state(), before)


def test_images_of_other_channels_are_refused(digits, brief):
    with pytest.raises(ZooError, match="images of 3 channels"):
        train_many(Variant(8, 0.5, 3), [digits[0]], digits[1], brief, (0,))


def test_half_precision_is_that_of_a_single_training(digits, augmented):
    part, recipe = balanced_subset(digits[0], 64, 0), replace(augmented, precision="bf16", epochs=1)
    together = train_many(VARIANT, [part] * 2, digits[1], recipe, (3, 5))
    for one in together:
        alone, _ = train_model(VARIANT, part, digits[1], recipe, seed=one.seed)
        exact, _ = train_model(VARIANT, part, digits[1], replace(recipe, precision="fp32"), seed=one.seed)
        ours, single, full = (parameters_to_vector(model.parameters()) for model in (one.result[0], alone, exact))
        # Sums in another order round to other numbers here and there, and full precision to others everywhere.
        assert (ours - single).norm() < (full - single).norm() / 2


def test_images_that_are_decoded_on_demand_are_refused_before_training(here, monkeypatch, run):
    write_folder(here / "pets", per_class=40)
    monkeypatch.setattr(zoo.data.load_split, "SMALL", 1000)
    ran = run("zoo", "train", "--dataset", "pets", "--seeds", "0-1")
    assert (ran.code, ran.stdout) == (1, "")
    assert "requires a dataset that fits in memory, got pets" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--seeds", "3-1"), "--seeds takes whole numbers and ranges"),
        (("--seeds", "0,4294967296"), "seeds must be from 0 to 4294967295, got 4294967296"),
        (("--seeds", "0-1", "--arch", "resnet18"), "requires the CIFAR family, got resnet18"),
        (("--seeds", "0-1", "--pc-regularize", 1), "cannot be combined with --pc-regularize"),
        (("--seeds", "0-1", "--seed", 3), "--seeds cannot be combined with --seed;"),
        (("--seeds", "0-1", "--resume"), "--seeds cannot be combined with --resume;"),
        (("--seeds", "0-1", "--save-epochs", 1), "--seeds cannot be combined with --save-epochs;"),
        (("--seeds", "0-1", "--push", "me/x"), "--seeds cannot be combined with --push;"),
    ],
)
def test_options_that_exclude_seeds_are_refused(run, here, arguments, message):
    ran = run("zoo", "train", *arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert message in ran.stderr
    assert list(here.iterdir()) == []


def test_several_processes_are_refused(run, here, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    assert "uses a single process; start it without torchrun" in run("zoo", "train", "--seeds", "0-1").stderr


def test_state_of_an_interrupted_run_is_not_discarded(run, here):
    state = here / "models" / ".resnet14-w1-digits-s1.training" / "state.safetensors"
    state.parent.mkdir(parents=True)
    state.write_text("kept")
    ran = run("zoo", "train", "--seeds", "0-1")
    assert ran.code == 1 and "start over with --force" in ran.stderr
    assert state.read_text() == "kept"


def test_existing_folder_is_reported_before_training(run, here):
    (here / "models" / "resnet14-w1-digits-s1").mkdir(parents=True)
    (here / "models" / "resnet14-w1-digits-s1" / "mine").touch()
    ran = run("zoo", "train", "--seeds", "0-1")
    assert ran.stderr.startswith("Error: expected a new folder, but models/resnet14-w1-digits-s1 exists")
    assert len(list((here / "models").iterdir())) == 1


def test_unwritable_folder_is_reported_before_training(run, here):
    (here / "file").touch()
    assert run("zoo", "train", "--seeds", "0-1", "--out", "file/models").stderr.startswith("Error: cannot write")


@pytest.mark.slow
@pytest.mark.usefixtures("double")
def test_command_writes_the_same_files_per_seed_as_a_single_run(run, here):
    small = ("--depth", 8, "--width", 0.5, "--subset", "1/4", "--epochs", 1)
    ran = run("zoo", "train", *small, "--seeds", "2,0", "--out", "many")
    folders = [here / "many" / f"resnet8-w0.5-digits-1of4-s{seed}" for seed in (2, 0)]
    assert ran.stdout.splitlines() == [str(folder.relative_to(here)) for folder in folders]
    run("zoo", "train", *small, "--seed", 2, "--out", "alone")
    assert {path.name for path in folders[0].iterdir()} == {path.name for path in (here / "alone").iterdir()}
    assert sorted(path.name for path in (here / "many").iterdir()) == sorted(folder.name for folder in folders)
    ours, alone = (load_file(folder / "model.safetensors") for folder in (folders[0], here / "alone"))
    torch.testing.assert_close(ours, alone, **ROUNDING)


def test_command_writes_successful_seeds_and_reports_the_others(run, here, monkeypatch):
    real = zoo.train.side_by_side.train.build

    def build(variant, generator):
        model = real(variant, generator)
        if generator.initial_seed() == 1:
            torch.nn.init.constant_(model.stem.conv.bias, torch.inf)
        return model

    monkeypatch.setattr(zoo.train.side_by_side.train, "build", build)
    ran = run("zoo", "train", "--depth", 8, "--width", 0.5, "--subset", "1/4", "--epochs", 1, "--seeds", "0-1")
    assert (ran.code, ran.stdout) == (1, "models/resnet8-w0.5-digits-1of4-s0\n")
    assert "Error: 1 of 2 seeds diverged, the others are written. 1: the loss became nan in epoch 1 of 1" in ran.stderr
    assert [path.name for path in (here / "models").iterdir()] == ["resnet8-w0.5-digits-1of4-s0"]
