"""Memory is estimated before models run."""

import json
import re
import shutil
import time

import pytest
import torch

import cli.inputs.memory
from cli.inputs.memory import (
    Footprint,
    fitting_batch_size,
    footprints_of,
    gain_from_sharing,
    largest_call,
    largest_of_family,
)
from compare.result.comparison import Comparison
from tests.support.our_bug import our_bug
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet
from zoo.hub.find import find_model

pytestmark = pytest.mark.slow


def fitting(models, layers, *rest):
    return fitting_batch_size(models, footprints_of(models, layers), *rest)


def with_input_size(folder, out, side):
    shutil.copytree(folder, out)
    config = json.loads((out / "config.json").read_text())
    config["pretrained_cfg"]["input_size"] = [1, side, side]
    (out / "config.json").write_text(json.dumps(config))
    return out


def memory(monkeypatch, free):
    monkeypatch.setattr(cli.inputs.memory, "free_on", lambda device: free)


def test_a_model_for_huge_images_is_refused_before_it_runs(run, folders, tmp_path, monkeypatch):
    big = with_input_size(folders[0], tmp_path / "big", 4096)
    memory(monkeypatch, 16 * 10**9)
    start = time.perf_counter()
    ran = run("compare", folders[0], big)
    assert time.perf_counter() - start < 2
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert re.search(
        r"Error: expected [0-9.]+ GB of free memory for minibatches of 32 images of 4096x4096, got 16.0", ran.stderr
    )


def test_minibatches_shrink_to_the_free_memory(folders, monkeypatch):
    models = [find_model(str(folder)) for folder in folders]
    memory(monkeypatch, 10**12)
    assert fitting(models, "all", None, 2000, "cpu") == (256, ())
    sizes, notes = [], []
    for free in (40e6, 10e6, 5e6):
        memory(monkeypatch, free)
        size, note = fitting(models, "all", None, 2000, "cpu")
        sizes.append(size)
        notes += note
    assert sizes == sorted(sizes, reverse=True) and 32 <= sizes[-1] < 256
    assert notes[-1] == f"Minibatches have {sizes[-1]} images in place of 256, to fit into the free memory."
    memory(monkeypatch, 10**5)
    with pytest.raises(ZooError, match="for minibatches of 32 images of 8x8, got 0.0 GB; choose a smaller"):
        fitting(models, "all", None, 2000, "cpu")


@pytest.mark.parametrize(
    ("variant", "size"),
    [(Variant(14, 1, 1), (1, 8, 8)), (Variant(20, 2.5), (3, 32, 32)), (Variant(8, 0.1), (3, 16, 16))],
)
def test_activations_of_the_family_are_those_of_a_trial_run(variant, size):
    with torch.device("meta"):
        trial = CifarResNet(variant).eval()
    assert largest_of_family(variant, size) == largest_call(trial, size)


def test_a_chosen_batch_size_does_not_shrink(folders, monkeypatch):
    models = [find_model(str(folders[0]))]
    memory(monkeypatch, 10e6)
    with pytest.raises(ZooError, match="for minibatches of 256 images"):
        fitting(models, "all", 256, 2000, "cpu")
    assert fitting(models, "all", 8, 2000, "cpu") == (8, ())


def test_gram_matrices_count_only_for_selected_layers(folders, monkeypatch):
    models = [find_model(str(folders[0]))]
    memory(monkeypatch, 10e9)
    with pytest.raises(ZooError, match="for minibatches of 20000 images"):
        fitting(models, "all", 20_000, 20_000, "cpu")
    assert fitting(models, None, 20_000, 20_000, "cpu") == (20_000, ())
    assert fitting(models, "fc", 20_000, 20_000, "cpu") == (20_000, ())


def test_models_in_processes_of_their_own_share_the_memory(folders, monkeypatch):
    models = [find_model(str(folders[0]))] * 4
    # Four processes take 2 GB.
    memory(monkeypatch, 2.008e9 / 0.8)
    sizes = [fitting(models, "fc", None, 2000, "cpu", jobs)[0] for jobs in (1, 2, 4, 9)]
    assert sizes[:2] == [256, 256] and 32 <= sizes[2] < 256 and sizes[3] == sizes[2]
    with pytest.raises(ZooError, match="images of 8x8, 4 models at once, got 2.5 GB; .* fewer --jobs, fewer layers"):
        fitting(models, "fc", 2000, 2000, "cpu", 4)


@pytest.mark.parametrize("path", ["cli.inputs.memory.largest_of_family", "zoo.model_folder.checkpoint.meta_model"])
def test_a_bug_in_the_estimate_keeps_its_traceback(folders, monkeypatch, path):
    monkeypatch.setattr(path, our_bug("zoo.base.memory"))
    with pytest.raises(ZeroDivisionError):
        fitting([find_model(str(folders[0]))], "all", None, 60, "cpu")


def test_a_smaller_batch_is_noted_in_the_result(run, folders, tmp_path, monkeypatch):
    memory(monkeypatch, 2e6)
    ran = run("compare", *folders, "--json", tmp_path / "x.json")
    result = Comparison.from_json((tmp_path / "x.json").read_text())
    note = next(note for note in result.notes if note.startswith("Minibatches have "))
    assert (ran.code, note in ran.stderr) == (0, True)
    assert note.startswith(f"Minibatches have {result.cka.batch_size} images in place of 60")


@pytest.mark.parametrize("side", [64, 256])
def test_the_estimate_is_near_what_a_run_takes(folders, tmp_path, side):
    """Compare with the activations that torch's profiler counts."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    from compare.model.layer_grams import LayerGrams

    model = find_model(str(with_input_size(folders[0], tmp_path / "m", side)))
    estimate = cli.inputs.memory._footprint(model, None).per_image
    module, images = model.load("cpu"), torch.rand(8, 1, side, side)
    with LayerGrams(module, "all") as layers, torch.no_grad():
        layers.find(images)
        grams = torch.empty(len(layers.names), 8, 8)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
            layers.run(images, grams)
    used = peak = 0
    for event in profiled.profiler.kineto_results.events():
        if event.name() == "[memory]":
            used += event.nbytes()
            peak = max(peak, used)
    assert 0.5 < estimate / (peak / 8) < 3


@pytest.mark.parametrize(
    ("per_image", "free", "device", "expected"),
    [
        (100_000, 8 * 10**9, "cpu", True),
        (10_000_000, 8 * 10**9, "cpu", False),
        (100_000, 10**9, "cpu", False),
        (100_000, None, "cpu", False),
        (100_000, 8 * 10**9, "cuda", False),
    ],
)
def test_only_small_models_that_fit_twice_gain_from_sharing_the_cores(monkeypatch, per_image, free, device, expected):
    monkeypatch.setattr(cli.inputs.memory, "free_on", lambda device: free)
    footprints = [Footprint(4_000_000, size, 50) for size in (1000, per_image)]
    assert gain_from_sharing(footprints, 64, device) == expected
    assert not gain_from_sharing([], 64, device)
