import json

import msgspec
import pytest
import timm
import torch
from torch import nn

from compare.errors import CompareError
from compare.probes.held_out import Split
from compare.probes.points import ProbePoint, probe_points, reading
from compare.probes.probes import EPOCHS, LOG10_STRENGTHS, PREPARATIONS, fit_probes
from compare.result.inspection import ProbeResult
from compare.stats.paired import wilson
from tests.support.probing import Net, batches, clusters, features_of, fitted, image_batches, optimum, probe_clusters

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def probed(trained, digits):
    train, test = map(image_batches, digits)
    return fit_probes(trained[0], train, test, classes=10)


def test_probes_of_a_trained_network_agree_with_scikit_learn(probed, trained, digits):
    model, (train, test) = trained[0], digits
    assert [(p.layer, p.kind) for p in probed.probes] == [
        (f"stage{stage}.0.add", kind) for stage in (1, 2, 3) for kind in ("pre", "post")
    ]
    for probe in probed.probes:
        point = ProbePoint(probe.layer, probe.kind)
        strength = 10.0**probe.log10_strength
        standard, rows, fits = fitted(features_of(model, point, train), train.labels, 10, [strength])
        solution, least = optimum(rows, train.labels, strength)
        assert probe.features == rows.shape[1] - 1
        assert least - 1e-5 < fits.loss.item() < least + 2e-3
        theirs = solution.score(standard.rows(features_of(model, point, test))[:, :-1].double().numpy(), test.labels)
        assert probe.accuracy == pytest.approx(theirs, abs=0.015)


def test_result_counts_examples_and_knows_the_model(probed, trained, digits):
    model, test = trained[0], digits[1]
    right = (model(test.images / 255).argmax(1) == test.labels).double().mean().item()
    assert (probed.model_accuracy, probed.model_low, probed.model_high) == pytest.approx(
        tuple(map(float, wilson(right * len(test), len(test))))
    )
    assert (probed.train_examples, probed.held_out_examples, probed.test_examples) == (1437, 287, 360)
    assert (probed.classes, probed.epochs, probed.seed) == (10, EPOCHS, 0)
    for probe in probed.probes:
        assert (probe.low, probe.high) == pytest.approx(tuple(map(float, wilson(probe.accuracy * 360, 360)))[1:])
        assert probe.log10_strength in LOG10_STRENGTHS


def test_json_round_trip_is_exact(probed):
    text = msgspec.json.encode(probed)
    assert msgspec.json.decode(text, type=ProbeResult) == probed
    row = "layer kind features accuracy low high log10_strength reason"
    assert list(json.loads(text)["probes"][0]) == row.split()


def test_planted_classes_are_recovered_and_random_labels_are_not():
    planted = probe_clusters()
    assert [probe.accuracy for probe in planted.probes] == [1, 1]
    x, _ = clusters(400, 2)
    labels = torch.randint(0, 3, (400,), generator=torch.Generator().manual_seed(3))
    noise = fit_probes(Net(), batches(x[:200], labels[:200]), batches(x[200:], labels[200:]), classes=3)
    for probe in noise.probes:
        assert probe.low < 1 / 3 < probe.high


def test_regularisation_is_as_strong_as_held_out_examples_ask_for():
    def chosen(spread, n=60):
        wide = [clusters(n, seed, spread, features=100) for seed in (0, 1)]
        return fit_probes(Net(100), *(batches(*split) for split in wide), classes=3).probes[1].log10_strength

    assert chosen(4.0) > chosen(0.01)


def test_only_the_training_split_is_learned_from():
    train, (x, labels) = batches(*clusters(90, 0)), clusters(60, 1)
    told = fit_probes(Net(), train, batches(x, (labels + 1) % 3), classes=3, epochs=10)
    assert [probe.accuracy for probe in told.probes] == [0, 0]
    assert [p.log10_strength for p in told.probes] == [p.log10_strength for p in probe_clusters().probes]


def test_same_seed_gives_the_same_result():
    assert probe_clusters(seed=3) == probe_clusters(seed=3)


def test_size_and_order_of_minibatches_do_not_matter():
    x, labels = clusters(90, 0, spread=1.5)
    test = batches(*clusters(300, 1, spread=1.5))
    order = torch.randperm(90, generator=torch.Generator().manual_seed(5))
    indices = torch.arange(90)
    sorted_by_class = labels.argsort()

    class Anew:
        """Another order in each pass."""

        orders = [sorted_by_class, order] * 30

        def __iter__(self):
            now = self.orders.pop()
            return iter([(x[part], labels[part], indices[part]) for part in now.split(7)])

    one = fit_probes(Net(), [(x, labels)], test, classes=3)
    other = fit_probes(Net(), Anew(), test, classes=3)
    for a, b in zip(one.probes, other.probes, strict=True):
        assert a.log10_strength == b.log10_strength
        assert a.accuracy == pytest.approx(b.accuracy, abs=0.01)


def test_layers_that_no_probe_can_read_say_why():
    dead, broken = Net(), Net()
    nn.init.zeros_(dead.branch.weight)
    nn.init.constant_(broken.branch.bias, float("inf"))
    for model, reason in ((dead, "is constant over examples"), (broken, "has values that are too large or not finite")):
        pre = probe_clusters(model).probes[0]
        assert (pre.accuracy, pre.low, pre.high, pre.log10_strength, pre.features) == (None, None, None, None, 6)
        assert reason in pre.reason
    assert (probe_clusters(dead).probes[1].accuracy, probe_clusters(dead).probes[1].reason) == (1, None)


def test_test_examples_that_are_not_finite_count_as_wrong():
    x, labels = clusters(60, 1)
    x[:15] = float("nan")
    result = fit_probes(Net(), batches(*clusters(90, 0)), batches(x, labels), classes=3, epochs=10)
    assert [probe.accuracy for probe in result.probes] == [0.75, 0.75]


def test_model_of_other_classes_has_probes_but_no_accuracy():
    result = probe_clusters(Net(classes=7))
    assert (result.model_accuracy, result.model_low, result.model_high) == (None, None, None)
    assert [probe.accuracy for probe in result.probes] == [1, 1]


def test_each_minibatch_of_each_pass_is_a_step():
    steps = []
    probe_clusters(epochs=4, on_step=lambda: steps.append(1))
    assert len(steps) == 3 * (4 + PREPARATIONS) + 2


def test_sites_are_read_before_an_in_place_operation_changes_them():
    model, (x, _) = Net().eval(), clusters(5, 0)
    seen = {}
    with reading(model, probe_points(model)) as reader:
        reader.run(x, lambda number, features: seen.setdefault(number, features.clone()))
    assert torch.equal(seen[0], model.branch(x))
    assert torch.equal(seen[1], model.branch(x) + x)


def test_blocks_that_add_inside_are_read_behind_them():
    model = timm.create_model("resnet18", num_classes=3)
    assert probe_points(model) == tuple(ProbePoint(f"layer{i}.{j}", "post") for i in (1, 2, 3, 4) for j in (0, 1))
    with pytest.raises(CompareError, match="no numbered blocks"):
        probe_points(nn.Linear(2, 2))


@pytest.mark.parametrize("fails", [False, True])
def test_hooks_are_removed_and_modes_restored(fails):
    model = Net().train()
    model.head.eval()

    def stop():
        assert not model.dropout.training
        if fails:
            raise KeyboardInterrupt

    if fails:
        with pytest.raises(KeyboardInterrupt):
            probe_clusters(model, on_step=stop)
    else:
        probe_clusters(model, on_step=stop)
    assert not any(module._forward_hooks for module in model.modules())
    assert [model.training, model.dropout.training, model.head.training] == [True, True, False]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_sites_that_cannot_be_read_are_refused():
    def probe(*points):
        probe_clusters(points=points)

    for point in (ProbePoint("nothing", "pre"), ProbePoint("add", "before")):
        with pytest.raises(CompareError, match="expected points that are pre or post a module of Net, got ProbePoint"):
            probe(point)
    with pytest.raises(CompareError, match=r"got none; probe_points\(model\)"):
        probe()
    idle = Net()
    idle.unused = nn.Identity()
    with pytest.raises(CompareError, match="expected a model to run every point, got none of ProbePoint"):
        probe_clusters(idle, points=[ProbePoint("unused", "post")])
    tokens = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(8, 3))
    words = [(torch.randint(0, 9, (12, 2)), torch.arange(12) % 3)]
    with pytest.raises(CompareError, match=r"expected real numbers with 12 rows.*pre 0, got torch.int64"):
        fit_probes(tokens, words, words, classes=3, points=[ProbePoint("0", "pre")])


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([], [(6, 3)], "train needs at least one example, got none"),
        ([(6, 3)], [], "test needs at least one example, got none"),
        ([(2, 3)], [(6, 3)], "train needs at least as many examples as classes, 3, got 2"),
        ([(6, 4)], [(6, 3)], "labels of train must be class numbers from 0 to 2, got 0 to 3"),
        ([(6, 3)], [(6, 4)], "labels of test must be class numbers from 0 to 2, got 0 to 3"),
    ],
)
def test_unusable_examples_are_refused(train, test, message):
    def made(shapes):
        return [(torch.randn(n, 6), torch.arange(n) % classes) for n, classes in shapes]

    with pytest.raises(CompareError, match=message):
        fit_probes(Net(), made(train), made(test), classes=3)


def test_unusable_arguments_are_refused():
    with pytest.raises(CompareError, match="classes must be at least 2, got 1"):
        probe_clusters(classes=1)
    with pytest.raises(CompareError, match="epochs must be at least 1, got 0"):
        probe_clusters(epochs=0)
    with pytest.raises(CompareError, match="train needs batches that can be iterated again"):
        fit_probes(Net(), iter(batches(*clusters(90, 0))), [], classes=3)


def test_examples_that_change_between_passes_are_refused():
    x, labels = clusters(90, 0)

    class Shuffled:
        def __iter__(self):
            order = torch.randperm(90)
            return iter(batches(x[order], labels[order]))

    with pytest.raises(CompareError, match="in the same order or with indices"):
        fit_probes(Net(), Shuffled(), batches(x, labels), classes=3)
    with pytest.raises(CompareError, match="an index occurs several times"):
        fit_probes(Net(), [(x, labels, torch.zeros(90, dtype=torch.long))], batches(x, labels), classes=3)


def test_a_fifth_is_held_out_the_same_in_every_pass():
    def held_out(seed):
        split = Split("train", batches(*clusters(90, 0)), 3)
        assert not torch.cat([held for _, _, held in split]).any()
        split.hold_out(torch.Generator().manual_seed(seed))
        first, second = (torch.cat([held for _, _, held in split]) for _ in range(2))
        assert torch.equal(first, second)
        assert (split.held_out, int(first.sum()), len(split)) == (18, 18, 90)
        return first

    assert torch.equal(held_out(0), held_out(0))
    assert not torch.equal(held_out(0), held_out(1))
