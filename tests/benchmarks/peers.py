"""The tools that `tests.benchmarks.engine` runs: `python -m tests.benchmarks.peers TOOL WORKLOAD JSON`.

Every tool takes two models, minibatches, and glob patterns, and returns CKA of shape (layers_a, layers_b) or None. Each
imports its own libraries, so that a process loads nothing of the other tools.
"""

import copy
import fnmatch
import gc
import json
import resource
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from tests.benchmarks.engine import AS_COMMAND, LEAVES, WORKLOADS
from zoo.base.allocator import keep_freed_memory
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet, initialise


@torch.inference_mode()
def forward(model_a, model_b, batches, layers):
    """The forward passes of both models, without hooks."""
    for images, _ in batches:
        model_a(images)
        model_b(images)


@torch.inference_mode()
def floor(model_a, model_b, batches, layers):
    """The minimal work of CKA, without centring and denominators."""
    for images, _ in batches:
        grams_a, grams_b = (seen(model, images, layers, plain_gram) for model in (model_a, model_b))
        grams_a @ grams_b.T


@torch.inference_mode()
def floor_of_one(model, batches):
    """One model, and a Gram matrix per leaf module and block."""
    for images, _ in batches:
        seen(model, images, f"{LEAVES},*add*,input,head.*", plain_gram)


def plain_gram(output):
    """Inner products. They do not depend on the order of the features, so channels_last needs no copy."""
    if output.is_contiguous(memory_format=torch.channels_last):
        output = output.permute(0, 2, 3, 1)
    x = output.flatten(1)
    return x @ x.T


@torch.inference_mode()
def reference(model_a, model_b, batches, layers):
    """CKA in float64 on float32 activations: HSIC_1 of centred features, summed over minibatches."""
    hsic = 0
    for images, _ in batches:
        grams = torch.cat([seen(model, images, layers, exact_gram) for model in (model_a, model_b)])
        hsic += grams @ grams.T
    count_a, root = len(chosen(model_a, layers)), hsic.diagonal().sqrt()
    return (hsic / root / root[:, None])[:count_a, count_a:]


def exact_gram(output):
    """U-centred Gram matrix (Szekely & Rizzo 2014), summed over slices of the features to save memory."""
    n = len(output)
    gram = torch.zeros(n, n, dtype=torch.float64)
    for features in output.flatten(1).split(8192, 1):
        features = features.double()
        features -= features.mean(0)
        gram += features @ features.T
    gram.fill_diagonal_(0)
    rows, total = gram.sum(0) / (n - 2), gram.sum() / ((n - 1) * (n - 2))
    return (gram - rows - rows[:, None] + total).fill_diagonal_(0)


def seen(model, images, layers, look):
    """Apply `look` to the output of each chosen layer, in execution order; shape (layers, n * n)."""
    found = []
    modules = [model.get_submodule(name) for name in chosen(model, layers)]
    handles = [module.register_forward_hook(lambda _m, _i, output: found.append(look(output))) for module in modules]
    model(images)
    for handle in handles:
        handle.remove()
    return torch.stack(found).flatten(1)


def ours(model_a, model_b, batches, layers, precision):
    """This package, as `compare` calls it."""
    from compare.engine.pair import compare_models

    return compare_models(model_a, model_b, batches, layers=layers, precision=precision).cka.ab


def pytorch_cka(model_a, model_b, batches, layers):
    """Source: github.com/ryusudol/Centered-Kernel-Alignment. It clips CKA at 0 by design."""
    from cka import compute_cka

    names = {"layers": chosen(model_a, layers), "model2_layers": chosen(model_b, layers)}
    return compute_cka(model_a, model_b, loader(batches), progress=False, **names)[0]


def torch_cka(model_a, model_b, batches, layers):
    """Source: github.com/AntixK/PyTorch-Model-Compare."""
    from torch_cka import CKA

    cka = CKA(model_a, model_b, "a", "b", chosen(model_a, layers), chosen(model_b, layers))
    cka.compare(loader(batches), loader(batches))
    return cka.export()["CKA"]


def cka_pytorch(model_a, model_b, batches, layers):
    """Source: github.com/datthinh1801/CKA.pytorch."""
    # Workaround: it needs torchvision, and zoo repairs torchvision on CPU builds of torch when timm is imported.
    import timm  # noqa: F401
    from cka_pytorch import CKACalculator

    cka = CKACalculator(model_a, model_b, chosen(model_a, layers), chosen(model_b, layers), verbose=False)
    # The default is 10 epochs.
    return cka.calculate_cka_matrix(loader(batches), num_epochs=1)


def loader(batches):
    """A DataLoader for the peers, without collation, which would undo channels_last."""
    return DataLoader(batches, batch_size=None)


def chosen(model, layers):
    """Names of the matching modules, in order of definition, which is the execution order in the family."""
    patterns = layers.split(",")
    return [name for name, _ in model.named_modules() if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]


def random_model(depth, width, seed):
    """A channels_last member of the family with random batch norm statistics."""
    generator = torch.Generator().manual_seed(seed)
    model = CifarResNet(Variant(depth, width))
    initialise(model, generator)
    return with_random_statistics(model, generator)


def timm_model(name, seed):
    """A channels_last architecture of timm with random weights and batch norm statistics."""
    import timm

    torch.manual_seed(seed)
    # With the last batch norm of each block at zero, as in training, many layers are constant.
    model = timm.create_model(name, zero_init_last=False)
    return with_random_statistics(model, torch.Generator().manual_seed(seed))


def with_random_statistics(model, generator):
    """The model in eval mode and channels_last, with random batch norm statistics."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    return model.eval().to(memory_format=torch.channels_last)


def random_batches(images, batch, seed, size=32):
    """Minibatches of noise images with labels."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(images, 3, size, size, generator=generator).split(batch)
    return [(x.to(memory_format=torch.channels_last), torch.arange(len(x)) % 10) for x in noise]


def measure(tool, models, batches, layers):
    """Seconds, MiB, and CKA of one run, or the error it raised."""
    # On copies, because a tool may leave hooks behind. Errors about so few images do not matter.
    with suppress(Exception):
        tool(*copy.deepcopy(models), [(images[:8], labels[:8]) for images, labels in batches[:1]], layers)
    gc.collect()
    report = {"before": peak_mib(), "cka": None, "problem": None}
    start, cpu = time.perf_counter(), time.process_time()
    try:
        cka = tool(*models, batches, layers)
    except Exception as error:
        cka, report["problem"] = None, f"{type(error).__name__}: {error}"
    report |= {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "peak": peak_mib()}
    if cka is not None:
        cka, expected = np.array(cka, float), tuple(len(chosen(model, layers)) for model in models)
        report |= {"cka": cka.tolist()} if cka.shape == expected else {"problem": f"CKA of shape {cka.shape}"}
    return report


def peak_mib():
    """Largest resident memory of this process so far, in MiB; Linux reports KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


RUN = {
    "forward": forward,
    "floor": floor,
    "reference": reference,
    "ours fp32": partial(ours, precision="fp32"),
    "ours library": partial(ours, precision="fp32"),
    "ours bf16": partial(ours, precision="bf16"),
    "pytorch-cka": pytorch_cka,
    "torch_cka": torch_cka,
    "cka-pytorch": cka_pytorch,
}


def main():
    """Build the workload, run one tool, write the report."""
    tool, name, path = sys.argv[1:]
    workload = WORKLOADS[name]
    if tool in AS_COMMAND:
        keep_freed_memory()
    models = [
        timm_model(model, seed) if isinstance(model, str) else random_model(*model, seed)
        for seed, model in enumerate((workload.a, workload.b))
    ]
    batches = random_batches(workload.images, workload.batch, seed=2, size=workload.size)
    report = measure(RUN[tool], models, batches, workload.layers)
    Path(path).write_text(json.dumps(report))


if __name__ == "__main__":
    main()
