"""Removing residual blocks: which, what is left, and the folder that `zoo prune` writes of it."""

import json
import random
import shlex
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn

from cards.model_card.model_card import model_card, training_command
from cli.train.card_files import look_inside
from compare.model.layer_grams import LayerGrams
from compare.result.spans import block_structures
from tests.support.networks import without
from tests.support.processes import run_python
from zoo.base.files import file_sha256
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet
from zoo.hub.find import find_model
from zoo.model_folder.checkpoint import load_checkpoint
from zoo.model_folder.config_reader import read_config
from zoo.prune.prune import blocks_within, fine_tune, fine_tuning_recipe, prune, seconds_per_1000
from zoo.record.training import TrainingRecord
from zoo.train.evaluate import predict

pytestmark = pytest.mark.slow

REMOVED = ("stage1.1", "stage3.1")


@pytest.fixture
def original(folders):
    """Two residual blocks in each stage."""
    return load_checkpoint(folders[1])


@pytest.fixture
def pruned(run, folders, tmp_path):
    """A folder that `zoo prune` wrote."""
    ran = run("zoo", "prune", folders[1], "--remove", ",".join(REMOVED), "--out", tmp_path / "p")
    assert ran.code == 0, ran.stderr
    return tmp_path / "p"


def record_of(folder):
    return TrainingRecord.from_json((folder / "training.json").read_bytes())


def names_within(variant, spans):
    """The rule read off the names of the modules, in the order in which they run."""
    with LayerGrams(CifarResNet(variant), "all") as run:
        run.find(torch.rand(4, variant.in_chans, 8, 8))
        names = run.names
    removed = []
    for start, stop in spans:
        inside, outside = names[start:stop], {name.rpartition(".")[0] for name in names[:start] + names[stop:]}
        blocks = dict.fromkeys(name.rpartition(".")[0] for name in inside if name.startswith("stage"))
        whole = [block for block in blocks if block not in outside and f"{block}.shortcut" not in names]
        removed += whole[1:]
    return tuple(removed)


@pytest.mark.parametrize("variant", [Variant(26, 0.1), Variant(26, 0.1, stage_blocks=(2, 6, 4))])
def test_blocks_within_spans_are_those_whose_every_layer_is(variant):
    some = random.Random(0)
    found = []
    for _ in range(60):
        a, b, c, d = sorted(some.sample(range(variant.representations + 1), 4))
        found.append(blocks_within(variant, [(a, b), (c, d)]))
        assert found[-1] == names_within(variant, [(a, b), (c, d)])
    assert len(set(found)) > 30


def test_one_layer_less_spares_a_block_and_the_first_of_a_span_stays():
    variant = Variant(20)
    everything = blocks_within(variant, [(0, variant.representations)])
    assert everything == tuple(
        f"stage{s}.{b}" for s in (1, 2, 3) for b in range(3) if (s, b) != (1, 0) and (b or s == 1)
    )
    assert blocks_within(variant, [(4, 25)]) == ("stage1.1", "stage1.2")
    assert blocks_within(variant, [(4, 24)]) == ("stage1.1",)
    assert blocks_within(variant, [(5, 25)]) == ("stage1.2",)
    assert blocks_within(variant, [(25, 40)]) == blocks_within(variant, []) == ()


@pytest.mark.parametrize("removed", [("stage1.1",), REMOVED, ("stage3.1", "stage1.0", "stage2.1")])
def test_logits_are_those_of_the_model_with_the_blocks_passed_over(original, digits, removed):
    smaller = prune(original, removed)
    for name in removed:
        stage, index = name.split(".")
        getattr(original, stage)[int(index)] = nn.Identity()
    assert torch.equal(predict(smaller, digits[1].images), predict(original, digits[1].images))
    assert sum(p.numel() for p in smaller.parameters()) == smaller.variant.parameters


def test_the_original_stays_and_shares_nothing(original, digits):
    before = predict(original, digits[1].images)
    smaller = prune(original, ["stage2.1"])
    assert (smaller.variant, smaller.training) == (Variant(12, 0.5, 1, stage_blocks=(2, 1, 2)), False)
    with torch.no_grad():
        for parameter in smaller.parameters():
            parameter.zero_()
    assert torch.equal(predict(original, digits[1].images), before)


def test_a_pruned_model_can_be_pruned_again(original, digits):
    twice = prune(prune(original, ["stage1.0"]), ["stage3.1"])
    once = prune(original, ["stage1.0", "stage3.1"])
    assert twice.variant == once.variant
    assert torch.equal(predict(twice, digits[1].images), predict(once, digits[1].images))


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ((), "which has 2, 2, and 2 in its stages.* got none"),
        (("stage2.0",), "got 'stage2.0'.*whose shortcuts are projections"),
        (("stage1.2",), "got 'stage1.2'"),
        (("stage1.01",), "got 'stage1.01'"),
        (("stage3.1", "stage3.1"), "expected each block once"),
        (("stage1.0", "stage1.1"), "stage1 must keep at least one block, got all 2"),
    ],
)
def test_what_cannot_be_removed_is_refused(original, removed, message):
    with pytest.raises(ZooError, match=message):
        prune(original, removed)


class Clock(nn.Module):
    """Notes when it runs."""

    def __init__(self, name, runs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.name, self.runs = name, runs

    def forward(self, x):
        self.runs.append((self.name, len(x)))
        return x.flatten(1)


def test_models_take_turns_and_the_first_turn_does_not_count(monkeypatch):
    runs, times = [], iter([0, 9, 0, 9] + [0, 1, 0, 3] * 2 + [0, 7, 0, 4])
    monkeypatch.setattr("zoo.prune.prune.time.perf_counter", lambda: next(times))
    models = [Clock("a", runs), Clock("b", runs)]
    seconds = seconds_per_1000(models, torch.zeros(200, 1, 2, 2, dtype=torch.uint8), repeats=3)
    assert runs == [("a", 200), ("b", 200)] * 4
    assert seconds == (5, 15)


def test_fine_tuning_learns_and_says_how(original, digits, brief):
    smaller = prune(original, REMOVED)
    recipe = fine_tuning_recipe(brief, 3)
    assert (recipe.epochs, recipe.lr, recipe.batch_size) == (3, pytest.approx(brief.lr / 10), brief.batch_size)
    tuning = fine_tune(smaller, digits[0], recipe, seed=5)
    assert (tuning.recipe, tuning.seed, len(tuning.history)) == (recipe, 5, 3)
    assert tuning.history[-1].loss < tuning.history[0].loss
    assert not torch.equal(smaller.stem.bn.running_mean, original.stem.bn.running_mean)


def test_the_written_model_gives_the_logits_of_the_model_without_the_blocks(pruned, original, digits):
    expected = predict(without(without(original, "stage1", 1), "stage3", 1), digits[1].images)
    loaded = load_checkpoint(pruned)
    torch.testing.assert_close(predict(loaded, digits[1].images), expected, atol=0, rtol=0)
    args = json.loads((pruned / "config.json").read_text())["model_args"]
    assert args == {"depth": 10, "width": 0.5, "in_chans": 1, "stage_blocks": [1, 2, 1]}
    assert read_config(pruned).zoo.name == "resnet10-1.2.1-w0.5-digits-s0"


@pytest.mark.slow
def test_the_written_model_loads_through_timm(pruned, tmp_path):
    code = """
import sys, torch, zoo, timm
model = timm.create_model("local-dir:" + sys.argv[1], pretrained=True).eval()
torch.save(model(torch.load(sys.argv[2] + "/x")), sys.argv[2] + "/y")
"""
    x = torch.rand(4, 1, 8, 8)
    torch.save(x, tmp_path / "x")
    ran = run_python(code, pruned, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert torch.equal(torch.load(tmp_path / "y"), load_checkpoint(pruned)(x))


def test_the_record_says_what_was_removed_and_what_it_cost(pruned, original, folders, digits):
    before, record = record_of(folders[1]), record_of(pruned)
    change = record.pruned
    assert (change.original, change.removed, change.device) == ("resnet14-w0.5-digits-s0", REMOVED, "cpu")
    assert change.sha256 == file_sha256(folders[1] / "model.safetensors")
    assert change.fine_tuning is None
    right = (predict(load_checkpoint(pruned), digits[1].images).argmax(1) == digits[1].labels).sum().item()
    assert (change.before.right, change.after.right, record.test_right) == (before.test_right, right, right)
    assert (change.before.parameters, change.after.parameters) == (
        before.variant.parameters,
        sum(p.numel() for p in load_checkpoint(pruned).parameters()),
    )
    assert change.before.multiply_adds == before.variant.multiply_adds(8, 8) > change.after.multiply_adds
    assert min(change.before.seconds_per_1000, change.after.seconds_per_1000) > 0
    assert (record.recipe, record.history, record.seed) == (before.recipe, before.history, before.seed)


def test_files_of_ordinary_variants_know_nothing_of_it(trained, folders):
    text = trained[1].to_json()
    assert "pruned" not in text and "stage_blocks" not in text
    assert "stage_blocks" not in (folders[0] / "config.json").read_text()
    assert TrainingRecord.from_json(text) == trained[1]
    again = TrainingRecord.from_json(text).to_json()
    assert TrainingRecord.from_json(again).to_json() == again
    assert "pruned" not in again and "stage_blocks" not in again


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"stage1.1"', '"stage1.1\\n# x"', "matching regex"),
        ('"removed": [', '"removed": [], "x": [', "length >= 1"),
        ('"examples": 360,\n      "parameters"', '"examples": 1,\n      "parameters"', "expected at most 1 right"),
        ('"sha256": "', '"sha256": "|', "matching regex"),
        ('"stage_blocks": [', '"stage_blocks": [9, 9, 9], "x": [', "stage_blocks must be"),
    ],
)
def test_a_hostile_record_is_refused(pruned, old, new, message):
    text = (pruned / "training.json").read_text()
    assert old in text
    with pytest.raises(ZooError, match=message):
        TrainingRecord.from_json(text.replace(old, new, 1))


def test_the_card_tells_what_was_removed_and_what_it_cost(pruned):
    change = record_of(pruned).pruned
    text = (pruned / "README.md").read_text()
    assert "After training, 2 of the 6 residual blocks of resnet14-w0.5-digits-s0" in text
    assert "were removed:\nstage1.1, stage3.1. Their skip connections" in text
    assert "Nothing was retrained after that" in text
    for name in ("parameters", "multiply_adds"):
        row = f"| {getattr(change.before, name):,} | {getattr(change.after, name):,} |"
        assert row in text
    assert f"| {change.before.right} ({change.before.accuracy:.2%}; " in text
    assert "    zoo prune models/resnet14-w0.5-digits-s0 --remove stage1.1,stage3.1\n" in text
    assert "Training of the original: SGD" in text


def test_names_from_elsewhere_stay_text(pruned):
    record = record_of(pruned)
    hostile = replace(record, pruned=replace(record.pruned, original="<b>|x|;rm", device="![x](y)"))
    text = model_card(hostile)
    assert "blocks of &lt;b&gt;&#124;x&#124;;rm (" in text
    assert "on \\!\\[x\\](y) |" in text
    assert shlex.split(training_command(hostile))[:3] == ["zoo", "prune", "models/<b>|x|;rm"]


def test_the_cards_command_makes_the_same_model_again(run, here, folders):
    shown = ("--fine-tune", 1, "--seed", 3)
    (here / "models").mkdir()
    (here / "models" / "resnet14-w0.5-digits-s0").symlink_to(folders[1])
    ran = run("zoo", "prune", "models/resnet14-w0.5-digits-s0", "--remove", "stage2.1, stage1.0", *shown)
    assert ran.stdout == "models/resnet10-1.1.2-w0.5-digits-s0\n"
    folder = here / ran.stdout.strip()
    command = next(line for line in (folder / "README.md").read_text().splitlines() if "zoo prune" in line)
    assert command.endswith("--remove stage2.1,stage1.0 --fine-tune 1 --seed 3")
    assert "fine-tuned for 1 epoch, from a learning rate of 0.005" in (folder / "README.md").read_text()
    assert run(*shlex.split(command), "--out", "again").code == 0
    assert (folder / "model.safetensors").read_bytes() == (here / "again" / "model.safetensors").read_bytes()
    assert run("zoo", "show", "again").stdout.count("zoo prune models/") == 1


def test_the_result_is_told_in_two_lines(run, folders, tmp_path):
    ran = run("zoo", "prune", folders[1], "--remove", "stage2.1", "--out", tmp_path / "p")
    first, second = ran.stderr.splitlines()
    change = record_of(tmp_path / "p").pruned
    assert first == (
        f"{change.after.right} of 360 test images right ({change.after.accuracy:.2%}) without 1 block, "
        f"{change.before.right} ({change.before.accuracy:.2%}) with."
    )
    assert second.startswith(f"{change.after.parameters:,} parameters instead of {change.before.parameters:,}; ")


def test_blocks_within_block_structure_are_removed(run, folders, tmp_path, digits, monkeypatch):
    monkeypatch.setattr("compare.structure.spans.DOMINANT", 0.0)
    ran = run("zoo", "prune", folders[1], "--block-structure", "--out", tmp_path / "p")
    assert ran.code == 0, ran.stderr
    record = record_of(folders[1])
    spans = look_inside(find_model(str(folders[1])).load("cpu"), record, digits[0]).block_structure.a
    expected = names_within(record.variant, [(span.start, span.stop) for span in block_structures(spans)])
    assert record_of(tmp_path / "p").pruned.removed == expected != ()


def test_test_images_have_no_part_in_what_is_removed(run, folders, tmp_path, monkeypatch):
    splits = []
    monkeypatch.setattr("compare.structure.spans.DOMINANT", 0.0)
    for module in ("cli.train.pruning", "cli.train.model_folder"):
        monkeypatch.setattr(f"{module}.look_inside", lambda *a, **k: splits.append(a[2].split) or look_inside(*a, **k))
    run("zoo", "prune", folders[1], "--block-structure", "--out", tmp_path / "p")
    assert splits == ["train", "test"]  # to decide, and for the card


def test_without_block_structure_nothing_is_removed(run, folders, here, monkeypatch):
    monkeypatch.setattr("compare.structure.spans.DOMINANT", 2.0)
    ran = run("zoo", "prune", folders[1], "--block-structure")
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert f"expected block structure in {folders[1]}, got none, so nothing can be removed" in ran.stderr
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "expected either --block-structure or --remove BLOCKS, got neither"),
        (("--block-structure", "--remove", "stage1.1"), 2, "got both; use one of them"),
        (("--remove", "stage1.1,"), 1, "got ''; choose blocks"),
        (("--remove", "stage1.7"), 1, "got 'stage1.7'"),
        (("--remove", "stage1.1", "--device", "tpu9"), 2, "expected a device such as auto, cpu"),
        (("--remove", "stage1.1", "--out", "."), 1, "choose another --out"),
    ],
)
def test_bad_arguments_are_told_in_one_line(run, folders, monkeypatch, arguments, code, message):
    monkeypatch.chdir(folders[1])
    before = sorted(folders[1].iterdir())
    ran = run("zoo", "prune", folders[1], *arguments)
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (code, "", 1)
    assert message in ran.stderr
    assert sorted(folders[1].iterdir()) == before


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "training.json",
            '"train_fingerprint": "',
            '"train_fingerprint": "0',
            "as it is on this machine",
        ),
        ("training.json", '"width": 0.5', '"width": 0.75', "as it is on this machine"),
        ("training.json", '"name": "digits"', '"name": "mnist"', "got 'mnist', and there is no such folder"),
        ("training.json", '"train_images": 1437', '"train_images": 9000', "expected from 10"),
        ("config.json", '"mean": [\n      0.0', '"mean": [\n      0.5', "as it is on this machine"),
        (
            "config.json",
            '"label_names": [\n    "0"',
            '"label_names": [\n    "zero"',
            "as it is on this machine",
        ),
        (
            "config.json",
            '"architecture": "cifar_resnet"',
            '"architecture": "resnet18"',
            "expected a variant of the CIFAR fam",
        ),
    ],
)
def test_models_of_other_data_or_families_are_refused(run, folders, here, file, old, new, message):
    shutil.copytree(folders[1], here / "m")
    text = (here / "m" / file).read_text()
    assert old in text
    (here / "m" / file).write_text(text.replace(old, new, 1))
    ran = run("zoo", "prune", "m", "--remove", "stage1.1")
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert message in ran.stderr


@pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
def test_a_model_on_the_hub_is_named_with_its_commit(hub, run, folders, tmp_path):
    assert run("zoo", "push", folders[1], "me/m").code == 0
    ran = run("zoo", "prune", "me/m", "--remove", "stage2.1", "--out", tmp_path / "p")
    assert ran.code == 0, ran.stderr
    name, commit = record_of(tmp_path / "p").pruned.original.split("@")
    assert (name, len(commit)) == ("me/m", 40)
    assert training_command(record_of(tmp_path / "p")) == f"zoo prune me/m@{commit} --remove stage2.1"
    assert run("zoo", "push", tmp_path / "p", "me/p").code == 0
    assert find_model("me/p").config.variant == record_of(tmp_path / "p").variant
    assert run("zoo", "compare", "me/m", "me/p", "--max-examples", 60).code == 0


def test_a_seed_that_no_training_can_have_had_is_refused_too(run, folders, here):
    shutil.copytree(folders[1], here / "m")
    record = record_of(folders[1])
    hostile = replace(record, seed=2**63 - 1, data=replace(record.data, subset="1/4", train_images=359))
    (here / "m" / "training.json").write_text(hostile.to_json())
    ran = run("zoo", "prune", "m", "--remove", "stage1.1")
    assert "expected a variant trained on digits as it is on this machine, but" in ran.stderr
