"""Rows of each example: the Gram matrix is that of the features that the example has when it runs alone."""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import pytest
import timm
import torch
from torch import nn

from compare.model.layer_grams import LayerGrams
from compare.similarity.gram import gram

X = torch.randn(6, 8, 4, generator=torch.Generator().manual_seed(0))


class Inner(nn.Module):
    """A module whose output keeps the examples elsewhere than its input, and a classifier."""

    def __init__(self, change):
        super().__init__()
        self.part, self.fc = nn.Module(), nn.Linear(32, 3)
        self.part.forward = change

    def forward(self, x):
        self.part(x)
        return self.fc(x.flatten(1))


CHANGES = {
    "windows": lambda x: x.reshape(-1, 2, 4),
    "windows with a row each": lambda x: x.flatten(0, 1),
    "windows apart": lambda x: x.movedim(1, 0).reshape(-1, 4),
    "sequence first": lambda x: x.movedim(1, 0),
    "sequence first, windows in the middle": lambda x: x.movedim(2, 0).reshape(4, -1, 2),
    "examples last": lambda x: x.permute(1, 2, 0),
    "scalar, then rows": lambda x: (x.mean(), x * 2),
    "constant, then rows": lambda x: {"bias": torch.ones(3, 3), "x": (x * 2,)},
    "as many positions as trial examples": lambda x: x[:, :7].movedim(1, 0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_rows_of_an_example_are_its_features(name):
    model = Inner(CHANGES[name])
    with LayerGrams(model, "part") as run:
        run.find(X)
        grams = torch.empty(1, 6, 6)
        run.run(X, grams)
    rows = []
    for example in X:
        output = CHANGES[name](example[None])
        output = output[1] if isinstance(output, tuple) else output["x"][0] if isinstance(output, dict) else output
        rows.append(output.flatten())
    assert run.names == ["part"]
    torch.testing.assert_close(grams[0], gram(torch.stack(rows)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.mean(0, keepdim=True),
        lambda x: torch.ones(7, 5),
        lambda x: x.sum(0, keepdim=True) + x.flatten(0, 1)[:, None],
        lambda x: x.flatten(0, 1)[torch.randperm(len(x) * 8)],
        lambda x: x.long(),
    ],
)
def test_outputs_without_rows_of_each_example_are_left_out(change):
    with LayerGrams(Inner(change), "all") as run:
        run.find(X)
    assert (run.names, run.left_out) == (["fc"], {"part"})


def test_few_examples_are_repeated_in_the_trials():
    model = Inner(CHANGES["windows"])
    with LayerGrams(model, "part") as run:
        run.find(X[:2])
        run.run(X, torch.empty(1, 6, 6))
    assert run.names == ["part"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("maxvit_pico_rw_256", 64),
        ("mobilevit_xxs", 64),
        ("levit_128s", 224),
        ("tnt_s_legacy_patch16_224", 32),
        ("sequencer2d_s", 32),
    ],
)
def test_no_layer_of_networks_with_windows_is_left_out(name, size):
    """`python -m tests.benchmarks.architectures` compares their CKA with that of examples that run alone."""
    options = {"img_size": size} if name.startswith(("maxvit", "tnt", "sequencer")) else {}
    model = timm.create_model(name, num_classes=3, **options)
    with LayerGrams(model, "all") as run:
        run.find(torch.randn(8, 3, size, size))
    assert run.left_out == set()
    assert any(rows.count > 1 for rows in run._rows.values())
