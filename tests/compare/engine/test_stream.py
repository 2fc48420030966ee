"""The engine as a whole: models of any kind, early stopping, precision, memory."""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import subprocess
import sys
import numpy as np
import pytest
import timm
import torch
from torch import nn
from compare.errors import CompareError
from compare.similarity.gram import gram, u_centre
from compare.model.layer_grams import default_layers
from compare.engine.pair import compare_models
from tests.support.networks import Net, stream

pytestmark = pytest.mark.slow


# One of each kind: convolutions, depthwise ones with channels last, attention, attention in windows, perceptrons.
KINDS = {
    "resnet10t": ("layer4.0", 4),
    "convnext_atto": ("stages.3.blocks.1", 12),
    "vit_tiny_patch16_224": ("blocks.11", 12),
    "mixer_s32_224": ("blocks.7", 8),
    "swin_tiny_patch4_window7_224": ("layers.3.blocks.1", 12),
}


@pytest.fixture(scope="module")
def images():
    return torch.randn(6, 3, 224, 224, generator=torch.Generator().manual_seed(0))


SLOW = "swin_tiny_patch4_window7_224"


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == SLOW else n for n in KINDS])
def test_any_timm_model_agrees_with_float64_at_its_last_block(name, images):
    torch.manual_seed(0)
    model, last = timm.create_model(name, num_classes=5).eval(), KINDS[name][0]
    nn.init.normal_(model.get_classifier().weight)
    seen = {}
    for layer in (last, ""):
        model.get_submodule(layer).register_forward_hook(lambda m, i, out, layer=layer: seen.update({layer: out}))
    result = compare_models(model, model, [(images, torch.arange(6) % 5)], layers="blocks")
    assert (result.models.a.layers[-1], len(result.models.a.layers)) == (last, KINDS[name][1])
    everything = compare_models(model, model, [(images, torch.arange(6) % 5)])
    layers = everything.models.a.layers
    row = max(i for i, layer in enumerate(layers) if f"{layer}.".startswith(f"{last}."))
    exact = [u_centre(gram(seen[layer].double(), torch.float64)).flatten() for layer in (last, "")]
    cosine = (exact[0] @ exact[1] / exact[0].norm() / exact[1].norm()).item()
    assert everything.cka.ab[row][-1] == pytest.approx(cosine, abs=1e-5)
    assert len(layers) > 2 * KINDS[name][1]


def test_more_than_four_hundred_layers_make_blocks_the_default():
    deep = timm.create_model("cifar_resnet", depth=122, width=0.25, in_chans=1, num_classes=3)
    shallow = timm.create_model("cifar_resnet", depth=8, width=0.25, in_chans=1, num_classes=3)
    x = torch.rand(7, 1, 8, 8)
    assert default_layers([shallow, deep], x) == "blocks"
    assert default_layers([shallow, shallow], x) == "all"
    plain = Net(0)
    assert default_layers([deep, plain], x) == "all"


def test_tolerance_stops_gram_matrices_and_predictions_cover_every_example():
    batches = [(x, y) for seed in range(30) for x, y in stream((32,), seed)]
    everything = compare_models(Net(0), Net(1), batches)
    errors = np.array(everything.cka.standard_error_ab)
    early = compare_models(Net(0), Net(1), batches, tolerance=2 * errors.max())
    assert np.array(early.cka.standard_error_ab).max() <= 2 * errors.max()
    assert 4 <= early.settings["minibatches"] < 30
    assert early.dataset.examples == 960
    assert early.disagreement == everything.disagreement
    assert any("predictions use all 960" in note for note in early.notes)
    assert compare_models(Net(0), Net(1), batches, tolerance=errors.max() / 2).settings["minibatches"] == 30


def test_tolerance_reached_in_the_first_pass_needs_no_second():
    batches = [(x, y) for seed in range(8) for x, y in stream((32,), seed)]
    result = compare_models(Net(0), Net(1), batches, passes=3, tolerance=0.9)
    assert (result.cka.passes, result.settings["minibatches"]) == (1, 4)


def test_unknown_standard_errors_never_meet_a_tolerance():
    batches = [(x, y) for seed in range(6) for x, y in stream((32,), seed)]
    batches[0][0][:2] *= 1000
    result = compare_models(Net(0), Net(1), batches, tolerance=0.9)
    assert result.settings["minibatches"] == 6
    assert any("unknown in some cells" in note for note in result.notes)


def test_bf16_is_within_its_stated_error_on_a_network_of_the_family():
    torch.manual_seed(0)
    a, b = (timm.create_model("cifar_resnet", depth=14, width=1, in_chans=3, num_classes=10) for _ in range(2))
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(192, 3, 8, 8, generator=generator)
    batches = list(zip(coarse.split(64), (torch.arange(192) % 10).split(64), strict=True))
    single, half = (compare_models(a, b, batches, precision=precision) for precision in ("fp32", "bf16"))
    assert np.abs(np.array(single.cka.ab) - np.array(half.cka.ab)).max() < 2e-3
    assert half.settings["precision"] == "bf16"
    assert any("computed in bfloat16" in note for note in half.notes)


def test_coincidence_of_a_first_axis_with_the_minibatch_is_no_layer():
    class Table(nn.Module):
        """Gives 16 rows whatever comes in, as many as there are examples."""

        def __init__(self):
            super().__init__()
            self.table = nn.Linear(3, 4)

        def forward(self, x):
            return self.table(torch.ones(16, 3))

    class Adds(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows, self.fc = Table(), nn.Linear(16, 3)

        def forward(self, x):
            return self.fc(x.flatten(1) + self.rows(x).sum())

    result = compare_models(Adds(), Net(0), stream())
    assert result.models.a.layers == ("fc",)
    assert "a: rows.table is left out" in " ".join(result.notes)


MEASURE = """
import resource, sys, torch
from torch import nn
from compare.engine.pair import compare_models
torch.set_num_threads(1)
def wide(depth):
    return nn.Sequential(nn.Linear(16, 16384), *(nn.ReLU() for _ in range(depth)), nn.Linear(16384, 3))
batches = [(torch.randn(256, 16), torch.arange(256) % 3) for _ in range(2)]
compare_models(wide(1), wide(1), batches)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
compare_models(wide(int(sys.argv[1])), wide(int(sys.argv[1])), batches)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_memory_grows_by_a_gram_matrix_per_layer_and_not_by_an_activation():
    """Here an activation is 16 MiB, and a Gram matrix 256 KiB; the sums of 80 layers come to another few MiB."""

    def grown(depth):
        return float(
            subprocess.run([sys.executable, "-c", MEASURE, str(depth)], capture_output=True, check=True).stdout
        )

    assert grown(40) - grown(10) < 60 * 1


def test_autocast_of_the_caller_leaves_gram_matrices_exact():
    plain = compare_models(Net(0), Net(1), stream(), layers="conv")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = compare_models(exempt(Net(0)), exempt(Net(1)), stream(), layers="conv")
    assert np.abs(np.array(plain.cka.ab) - np.array(within.cka.ab)).max() < 1e-6


def exempt(model):
    """The model, itself run without autocast."""
    run = model.forward

    def forward(x):
        with torch.autocast("cpu", enabled=False):
            return run(x)

    model.forward = forward
    return model


def test_models_of_different_precision_can_be_compared():
    a, b = Net(0), Net(0).to(torch.bfloat16)
    assert compare_models(a, b, stream()).cka.ab[0][0] == pytest.approx(1, abs=1e-3)


def test_an_unreached_tolerance_is_noted():
    notes = compare_models(Net(0), Net(1), stream(), tolerance=1e-9).notes
    assert any("are above the tolerance of 1e-09" in note for note in notes)


X = torch.rand(4, 1, 4, 4)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"label": torch.arange(4)}, r"expected minibatches of \(inputs, labels\)"),
        ((X, None), "use -1 for all examples if they are unknown"),
        ((X, torch.arange(3)), r"expected labels as integers of shape \(4,\)"),
        ((X, torch.rand(4)), r"got torch.float32 of shape \(4,\)"),
        ((X, [0, 1, 2, 0]), "one per example, got <class 'list'>"),
        ((X, torch.arange(4) % 3, torch.arange(5)), "expected indices as integers"),
    ],
)
def test_unusable_minibatches_are_refused_before_any_run(batch, message):
    with pytest.raises(CompareError, match=message):
        compare_models(Net(0), Net(1), [batch])


def test_outputs_that_are_no_ordinary_tensors_are_left_out():
    class Odd(Net):
        def __init__(self, make):
            super().__init__(0)
            self.odd = nn.Module()
            self.odd.forward = make

        def forward(self, x):
            self.odd(x)
            return super().forward(x)

    for make in (lambda x: x.flatten(1).to_sparse(), lambda x: object()):
        result = compare_models(Odd(make), Net(1), stream())
        assert result.models.a.layers == ("conv", "act", "fc")
        assert any("a: odd is left out" in note for note in result.notes)


def test_layers_left_out_have_one_note_with_their_names_without_numbers():
    class Biased(Net):
        def __init__(self):
            super().__init__(0)
            self.bias = nn.ModuleList(nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(3))

        def forward(self, x):
            for bias in self.bias:
                bias(torch.ones(3, 2))
            return super().forward(x)

    result = compare_models(Biased(), Net(1), stream())
    notes = [note for note in result.notes if "left out" in note]
    assert notes == [
        "a: 6 layers are left out; their outputs have no rows of real numbers of each example. They are bias.*.* (6)."
    ]
