"""CKA tools on difficult networks and minibatches: `python -m tests.benchmarks.edge_cases`, half a minute.

One row per case and one column per tool, each in its own process. Cells are compared by layer names with float64 CKA
of the activations at the time of the call:

    ok              largest error below 1e-5; no value, or NaN, where a layer has none
    0.16 off        largest error
    NaN 4/16        values that are not finite although the true values are; without numbers, all
    made up 1.00    largest value for a layer without a true value: one that is constant or NaN
    wrong rows      not one row for each call of a module
    error: X        raised X

HSIC_1 of a minibatch of fewer than 4 examples is undefined, so the reference skips it. CKA is well above 0 in all
cases, so the clipping of pytorch-cka at 0 has no effect. Peers are called as in their READMEs; cka-pytorch removes its
hooks only in reset(). Values caused by rounding vary between machines.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from functools import partial
from math import isfinite, isnan, nan
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from tests.benchmarks.peers import RUN, chosen
from tests.support.reference import hsic_1

TOOLS = ("ours", "torch_cka", "pytorch-cka", "cka-pytorch")
RESTORED = "train mode and hooks restored"
TOLERANCE = 1e-5
MIN_EXAMPLES = 4
# All modules except the network itself.
LAYERS = "?*"


class Net(nn.Module):
    """A network with a change between two layers. With `aside`, no other layer gets the changed activations."""

    def __init__(self, seed, change, inplace=False, aside=False, twice=False, backwards=False):
        super().__init__()
        self.aside, self.twice = aside, twice
        modules = {
            "conv": nn.Conv2d(1, 6, 3, padding=1),
            "change": nn.Identity(),
            "act": nn.ReLU(inplace),
            "fc": nn.Linear(96, 3),
        }
        modules["change"].forward = change
        for name in reversed(modules) if backwards else modules:
            self.add_module(name, modules[name])
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3, generator=generator)

    def forward(self, x):
        hidden = self.conv(self.act(x) if self.twice else x)
        changed = first_tensor(self.change(hidden))
        return self.fc(self.act(hidden if self.aside else changed).flatten(1))


def first_tensor(output):
    """The first tensor of a tuple or dict."""
    values = tuple(output.values()) if isinstance(output, dict) else output
    return values[0] if isinstance(values, tuple) else values


def build(change=lambda x: x * 3, last=16, **options):
    """Two networks with the same change, and four minibatches of three classes, for which CKA is well above 0."""
    generator = torch.Generator().manual_seed(0)
    prototypes = 2 * torch.randn(3, 1, 4, 4, generator=generator)
    labels = [torch.arange(n) % 3 for n in (16, 16, 16, last)]
    batches = [(prototypes[y] + torch.randn(len(y), 1, 4, 4, generator=generator), y) for y in labels]
    return Net(0, change, **options), Net(1, change, **options), batches


def partly_frozen():
    """Two networks in train mode, except for one layer."""
    a, b, batches = build()
    a.conv.eval()
    return a, b, batches


def same_twice():
    """The same module object as both models."""
    a, _, batches = build()
    return a, a, batches


CASES = {
    "nothing special": build,
    **{f"last batch of {n}, others 16": partial(build, last=n) for n in (1, 2, 3, 5)},
    "NaN in one layer": partial(build, lambda x: x.masked_fill(x == x.max(), nan), aside=True),
    "in-place ReLU": partial(build, inplace=True),
    "dead, constant layer": partial(build, lambda x: x * 0 + 0.1, aside=True),
    "activations x 1e6": partial(build, lambda x: x * 1e6),
    "activations x 1e12": partial(build, lambda x: x * 1e12),
    "mean 30 times spread": partial(build, lambda x: x + 30 * x.std()),
    "mean 1000 times spread": partial(build, lambda x: x + 1000 * x.std()),
    "tuple output": partial(build, lambda x: (x * 3, x + 1)),
    "dict output": partial(build, lambda x: {"hidden": x * 3, "other": 2}),
    "one ReLU used twice": partial(build, twice=True),
    "runs in another order than defined": partial(build, backwards=True),
    RESTORED: partly_frozen,
    "same model object twice": same_twice,
}


def found_by(tool, a, b, batches):
    """CKA by the names of both layers, or None unless there is one row and one column per name."""
    if tool == "ours":
        from compare.engine.pair import compare_models

        result = compare_models(a, b, batches)
        return cells(result.models.a.layers, result.models.b.layers, result.cka.ab)
    # Of the peers only torch_cka names its rows; export() has the same names in this order.
    return cells(chosen(a, LAYERS), chosen(b, LAYERS), RUN[tool](a, b, batches, LAYERS))


def cells(names_a, names_b, cka):
    """A matrix as a dictionary by layer names, or None if its shape differs."""
    cka = np.array(cka, float)
    if cka.shape != (len(names_a), len(names_b)):
        return None
    return {(a, b): cka[i, j].item() for i, a in enumerate(names_a) for j, b in enumerate(names_b)}


@torch.no_grad()
def reference(a, b, batches, weight):
    """CKA as a ratio of sums over minibatches, each weighted by `weight(n)` for n examples."""
    total = 0
    for x, _ in batches:
        if len(x) >= MIN_EXAMPLES:
            of_a, of_b = exact_grams(a, x), exact_grams(b, x)
            grams = [*of_a.values(), *of_b.values()]
            total += weight(len(x)) * torch.tensor([[hsic_1(k, m) for m in grams] for k in grams])
    root = total.diagonal().sqrt()
    return cells(list(of_a), list(of_b), (total / root / root[:, None])[: len(of_a), len(of_a) :])


def exact_grams(model, x):
    """Gram matrices of centred features for each call of a module; the second call of `act` is `act#2`."""
    grams = {}

    def look(name, output):
        features = first_tensor(output).flatten(1).double()
        features = features - features.mean(0)
        grams[f"{name}#2" if name in grams else name] = features @ features.T

    handles = [
        model.get_submodule(name).register_forward_hook(lambda _m, _i, output, name=name: look(name, output))
        for name in chosen(model, LAYERS)
    ]
    model.eval()(x)
    for handle in handles:
        handle.remove()
    return grams


def outcome(tool, name):
    """The verdict on one tool in one case."""
    a, b, batches = CASES[name]()
    modes = [module.training for module in a.modules()]
    try:
        found = found_by(tool, a, b, batches)
    except Exception as error:
        return f"error: {type(error).__name__}"
    if name == RESTORED:
        return leftovers(a, modes)
    # In ours a short minibatch weighs less; in the peers all weigh the same, as in the paper.
    weight = (lambda n: n * (n - 3)) if tool == "ours" else (lambda n: 1)
    return verdict(found, reference(*CASES[name](), weight))


def verdict(found, exact):
    """A short description of the difference between two dictionaries of cells."""
    if found is None or found.keys() != exact.keys():
        return "wrong rows"
    true = [cell for cell in exact if isfinite(exact[cell])]
    lost = sum(not isfinite(found[cell]) for cell in true)
    made_up = max((abs(found[cell]) for cell in exact if cell not in true and not isnan(found[cell])), default=None)
    error = max((abs(found[cell] - exact[cell]) for cell in true if isfinite(found[cell])), default=0)
    words = [f"NaN {lost}/{len(true)}" if lost < len(true) else "NaN"] if lost else []
    words += [f"{error:.2g} off"] if error >= TOLERANCE else []
    words += [f"made up {made_up:.2f}"] if made_up is not None else []
    return ", ".join(words) or "ok"


def leftovers(model, modes):
    """A short description of the modes and hooks that a tool did not restore."""
    changed = [module.training for module in model.modules()] != modes
    words = ["mode of a layer lost" if model.training else "left in eval"] if changed else []
    words += ["hooks left"] if any(module._forward_hooks for module in model.modules()) else []
    return ", ".join(words) or "ok"


def column(tool, folder):
    """Run one tool on all cases in its own process on the CPU, and return the verdicts."""
    path = folder / "verdicts.json"
    path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.benchmarks.edge_cases", tool, path]
    # pytorch-cka uses a GPU if it finds one.
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, env=environment, timeout=120, **silent)
    return json.loads(path.read_text()) if path.exists() else dict.fromkeys(CASES, "died")


def print_table():
    """Run every tool and print one line per case."""
    with TemporaryDirectory() as name:
        columns = [column(tool, Path(name)) for tool in TOOLS]
    rows = [("case", *TOOLS), *((case, *(verdicts[case] for verdicts in columns)) for case in CASES)]
    widths = [max(map(len, texts)) for texts in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def main():
    """Print the table, or write the verdicts on one tool to a file."""
    if not sys.argv[1:]:
        print_table()
        return
    torch.set_num_threads(1)
    tool, path = sys.argv[1:]
    Path(path).write_text(json.dumps({case: outcome(tool, case) for case in CASES}))


if __name__ == "__main__":
    main()
