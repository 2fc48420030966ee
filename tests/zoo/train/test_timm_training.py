"""Training timm architectures: files, and use of the models in all commands."""

import json
import shutil
import subprocess
import sys

import pytest
import torch
from huggingface_hub import ModelCard

from cards.model_card.model_card import model_card, training_command
from zoo.data.image_set import balanced_subset
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.hub.catalog import local_model
from zoo.hub.find import find_model
from zoo.model_folder.checkpoint import load_checkpoint, save_checkpoint
from zoo.model_folder.config_reader import read_config
from zoo.record.training import TrainingRecord
from zoo.train.build import fit_to
from zoo.train.train import train_model

# Loads a folder with timm alone: the cure for a torchvision that does not fit a CPU build of torch comes first.
PLAIN_TIMM = """
import sys, torch
try:
    import torchvision
except RuntimeError:
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import timm
model = timm.create_model(sys.argv[1], pretrained=True).eval()
assert "zoo" not in sys.modules
config = timm.data.resolve_model_data_config(model)
x, folder = torch.load(sys.argv[2] + "/x"), sys.argv[2]
torch.save((model(x), config["input_size"], config["mean"]), folder + "/y")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory, digits, brief):
    """A small timm model, its record, and its folder."""
    part = balanced_subset(digits[0], 128, 0)
    model, record = train_model(fit_to("test_resnet", part), part, digits[1], brief)
    folder = tmp_path_factory.mktemp("timm") / "t"
    folder.mkdir()
    save_checkpoint(folder, model, record)
    (folder / "README.md").write_text(model_card(record) + "\n")
    return model, record, folder


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def in_plain_timm(name, x, tmp_path):
    torch.save(x, tmp_path / "x")
    ran = subprocess.run([sys.executable, "-c", PLAIN_TIMM, name, tmp_path], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return torch.load(tmp_path / "y")


def test_configuration_and_record_say_what_was_trained(made):
    _, record, folder = made
    config = json.loads((folder / "config.json").read_text())
    assert list(config) == [
        *("architecture", "num_classes", "num_features", "global_pool", "label_names", "model_args", "pretrained_cfg"),
        "zoo",
    ]
    assert (config["architecture"], config["model_args"], config["num_features"]) == (
        "test_resnet",
        {"in_chans": 1},
        96,
    )
    assert config["pretrained_cfg"]["first_conv"] == "conv1.0"
    assert config["pretrained_cfg"]["input_size"] == [1, 8, 8]
    assert config["zoo"]["name"] == record.name == "test_resnet-digits-s0"
    assert read_config(folder).spec == record.spec
    assert TrainingRecord.from_json(record.to_json()) == record
    assert "variant" not in json.loads(record.to_json())


def test_loaded_model_preprocesses_as_in_training(made, digits):
    model, record, folder = made
    loaded = find_model(str(folder)).load("cpu")
    right = (loaded(digits[1].images).argmax(1) == digits[1].labels).sum().item()
    assert right == record.test_right
    assert all(map(torch.equal, load_checkpoint(folder).parameters(), model.parameters()))


@pytest.mark.slow
def test_plain_timm_loads_it_and_gives_the_same_logits(made, tmp_path):
    x = torch.rand(4, 1, 8, 8)
    logits, size, mean = in_plain_timm(f"local-dir:{made[2]}", x, tmp_path)
    assert torch.equal(logits, load_checkpoint(made[2])(x))
    assert (size, tuple(mean)) == ((1, 8, 8), made[1].timm_variant.mean)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
def test_the_imagenet_family_trains_and_plain_timm_fetches_it_from_the_hub(run, hub, here, digits):
    brief = ("--epochs", 1, "--subset", "1/16", "--dataset", "digits")
    ran = run("zoo", "train", "--family", "imagenet", "--depth", 53, "--width", 0.5, *brief, "--push", "me/r53")
    assert ran.code == 0, ran.stderr
    folder = here / "models" / "imagenet-resnet53-w0.5-digits-1of16-s0"
    config = json.loads((folder / "config.json").read_text())
    assert config["model_args"] == {"in_chans": 1, "layers": [3, 4, 7, 3], "channels": [64, 128, 128, 512]}
    (here / "empty").mkdir()
    (listed,) = json.loads(run("zoo", "list", "--hub", "me", "--out", "empty", "--json", "-").stdout)["models"]
    assert (listed["architecture"], listed["depth"], listed["width"]) == ("resnet50", 53, 0.5)
    assert listed["parameters"] == ImageNetResNet(53, 0.5).parameters(1, 10)
    assert run("zoo", "pull", "me/r53", "--out", "pulled").code == 0
    assert (here / "pulled" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    x = digits[1].images[:4].float() / 255
    logits, size, _ = in_plain_timm("hf-hub:me/r53", x, here)
    assert torch.equal(logits, load_checkpoint(folder)(x))
    assert size == (1, 8, 8)


@pytest.mark.slow
def test_an_architecture_by_name_goes_through_every_command(run, here):
    assert run("zoo", "train", "--arch", "test_resnet", "--epochs", 1, "--subset", "1/4").code == 0
    folder = "models/test_resnet-digits-1of4-s0"
    shown = run("zoo", "show", folder).stdout
    assert "test_resnet" in shown
    assert "zoo train --arch test_resnet --dataset digits --subset 1/4 --seed 0 --epochs 1" in " ".join(shown.split())
    assert run("zoo", "card", folder).code == 0
    shutil.copytree(folder, "models/b")
    for command in (("compare",), ("zoo", "matrix")):
        ran = run(*command, folder, "models/b", "--max-examples", 60)
        assert ran.code == 0, ran.stderr
    assert run("zoo", "inspect", folder, "--max-examples", 60).code == 0
    for refused in (("prune", folder, "--block-structure"), ("inspect", folder, "--part", "deletion")):
        ran = run("zoo", *refused)
        assert ran.code == 1
        assert "a test_resnet" in ran.stderr


def test_card_has_an_example_for_timm_alone(made):
    card = ModelCard(model_card(made[1], repo_id="me/t"))
    assert (card.data.library_name, card.data.tags) == ("timm", ["resnet-zoo", "test_resnet"])
    assert card.data.to_dict()["resnet_zoo"]["parameters"] == made[1].timm_variant.parameters
    assert 'timm.create_model("hf-hub:me/t", pretrained=True)' in card.text
    assert "import zoo" not in card.text.split("```python")[1]
    assert "depth" not in card.text
    assert training_command(made[1]).startswith("zoo train --arch test_resnet --dataset digits")


def test_list_knows_it_without_its_weights(made):
    listed = local_model(made[2])
    assert (listed.architecture, listed.depth, listed.dataset) == ("test_resnet", None, "digits")
    assert listed.parameters == sum(p.numel() for p in made[0].parameters())


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        ({"imagenet": {"depth": 83}}, "expected resnet50 with .* as imagenet-resnet83-w1 has, got test_resnet"),
        ({"imagenet": {"depth": 51}}, r"ImageNet family must be 32\+3k"),
        ({"parameters": -1}, "Expected `int` >= 1"),
        ({"name": "a\nb"}, "Expected `str` matching regex"),
        ({"format_version": 2}, "expected format version 1, got 2; update"),
    ],
)
def test_hostile_zoo_part_gives_a_clear_error(made, tmp_path, ours, message):
    folder = tmp_path / "t"
    shutil.copytree(made[2], folder)
    edit(folder, zoo=json.loads((folder / "config.json").read_text())["zoo"] | ours)
    with pytest.raises(ZooError, match=message):
        read_config(folder)


@pytest.mark.parametrize("theirs", ["model", ["x"], {"name": "mine"}, None])
def test_foreign_values_under_the_zoo_key_are_ignored(made, tmp_path, theirs):
    folder = tmp_path / "t"
    shutil.copytree(made[2], folder)
    edit(folder, zoo=theirs)
    assert read_config(folder).zoo is None
    load_checkpoint(folder)


def test_record_with_both_or_no_architecture_is_refused(made, trained):
    text = json.loads(made[1].to_json())
    for change in ({"variant": json.loads(trained[1].to_json())["variant"]}, {"timm_variant": None}):
        with pytest.raises(ZooError, match="expected one of variant and timm_variant"):
            TrainingRecord.from_json(json.dumps(text | change))
    assert isinstance(trained[1].spec, Variant)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--arch", "restnet18"), 1, "got 'restnet18'; similar names are resnet18, "),
        (("--arch", "resnet18", "--depth", 14), 2, "--arch cannot be combined with --depth 14"),
        (("--arch", "resnet18", "--width", 1), 2, "--arch cannot be combined with --width 1.0"),
        (("--arch", "resnet18", "--family", "imagenet"), 2, "--arch cannot be combined with --family imagenet"),
        (("--arch", "cifar_resnet"), 2, "choose a variant with --depth and --width"),
        (("--arch", "test_vit"), 1, "does not accept images of (1, 8, 8)"),
        (("--family", "imagenet", "--depth", 51), 2, "the nearest are 50 and 53"),
    ],
)
def test_invalid_choices_give_a_clear_error_and_write_nothing(run, here, arguments, code, message):
    ran = run("zoo", "train", *arguments)
    assert (ran.code, ran.stdout, list(here.iterdir())) == (code, "", [])
    assert message in ran.stderr


def test_variants_of_the_imagenet_family_are_listed(run):
    rows = json.loads(run("zoo", "variants", "--family", "imagenet", "--json", "-").stdout)
    sizes = {row["name"]: (row["parameters"], row["representations"]) for row in rows}
    assert sizes["imagenet-resnet50-w1"] == (25_557_032, 159)
    assert sizes["imagenet-resnet83-w1"] == (37_846_056, 258)
    assert "imagenet-resnet50-w2.8" in run("zoo", "variants", "--family", "imagenet").stdout
