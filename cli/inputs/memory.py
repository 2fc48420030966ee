"""Estimate the memory that models take, before they run, and choose minibatches that fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from zoo.base.foreign import is_foreign
from zoo.base.memory import USABLE, check_memory
from zoo.errors import ZooError

if TYPE_CHECKING:
    from torch import nn

    from zoo.family.cifar import Variant
    from zoo.hub.find import FoundModel

# Bytes of a number in single precision, and of a process that has imported torch and timm.
_NUMBER, _PROCESS = 4, 500_000_000
# Bytes of each permutation for a pair of layers and a measure: 400 to 4,000 permutations took 11 to 14 in two pairs.
_NULL = 14
# Bytes of activations up to which most of the time goes into calls of small operations, which more cores do not speed
# up. Larger activations keep all cores busy, and copying a process with its memory takes longer than it saves: on 128
# photos, two EfficientNets took 26 instead of 24 s.
FEW_ACTIVATIONS = 2**26


@dataclass(frozen=True)
class Footprint:
    """Memory that a model needs, in bytes.

    Args:
        weights: its parameters and buffers.
        per_image: its largest activations for one image.
        layers: number of layers whose Gram matrices are computed.
    """

    weights: int
    per_image: int
    layers: int


def footprints_of(models: Sequence["FoundModel"], layers: str | None) -> tuple[Footprint, ...]:
    """Memory of the models, without those that cannot be built, for which loading will give the reason.

    Args:
        models: the models.
        layers: layers whose Gram matrices are computed, as in `compare.model.select_layers.select`; None for none.
    """
    return tuple(footprint for model in models if (footprint := _footprint(model, layers)) is not None)


def fitting_batch_size(
    models: Sequence["FoundModel"],
    footprints: Sequence[Footprint],
    chosen: int | None,
    examples: int,
    device: str,
    jobs: int | None = None,
) -> tuple[int, tuple[str, ...]]:
    """Images per minibatch that fit into the free memory.

    Args:
        models: the models, which run one after the other on each minibatch.
        footprints: what `footprints_of` returned for them.
        chosen: images per minibatch that the user chose, which do not change; None for the default.
        examples: number of images.
        device: device of the models.
        jobs: number of processes that run one model each at the same time; None if this process runs all models.

    Returns:
        The default, or the largest smaller power of two from `SMALLEST_BATCH` that fits, and a note if it is smaller.

    Raises:
        ZooError: the minibatches do not fit.
    """
    from zoo.data.batches import SMALLEST_BATCH, default_batch_size

    first = default_batch_size(examples) if chosen is None else chosen
    free = free_on(device)
    if free is None or not footprints:
        return first, ()
    smaller = [2**power for power in range(10, 0, -1) if chosen is None and SMALLEST_BATCH <= 2**power < first]
    needs = {size: _needed(footprints, min(size, examples), jobs) for size in (first, *smaller)}
    last = list(needs)[-1]
    size = next((size for size, need in needs.items() if need <= USABLE * free), last)
    together = f", {jobs} models at once" if jobs and jobs > 1 else ""
    check_memory(
        needs[size],
        free,
        f"minibatches of {min(size, examples)} images of {_largest(models)}{together}",
        f"choose a smaller --batch-size,{' fewer --jobs,' if together else ''} fewer layers, or a smaller model",
    )
    note = f"Minibatches have {size} images in place of {first}, to fit into the free memory."
    return size, () if size == first else (note,)


def check_null(footprints: Sequence[Footprint], permutations: int, measures: int) -> None:
    """Check that the null distribution of two models fits into the free memory.

    Args:
        footprints: what `footprints_of` returned for the two models.
        permutations: number of permutations.
        measures: number of similarity measures.

    Raises:
        ZooError: it does not fit.
    """
    if permutations and len(footprints) == 2:
        a, b = (footprint.layers for footprint in footprints)
        check_memory(
            _NULL * measures * permutations * a * b,
            free_on("cpu"),
            f"{permutations:,} permutations of {a} x {b} layers",
            "choose a smaller --null, or fewer layers",
        )


def gain_from_sharing(footprints: Sequence[Footprint], batch_size: int, device: str) -> bool:
    """Whether two processes with half of the cores each are faster than one after the other, and fit into the memory.

    Args:
        footprints: what `footprints_of` returned.
        batch_size: images per minibatch.
        device: device of the models.
    """
    free = free_on(device)
    if device != "cpu" or free is None or not footprints:
        return False
    activations = max(footprint.per_image for footprint in footprints) * batch_size
    return activations <= FEW_ACTIVATIONS and _needed(footprints, batch_size, 2) <= USABLE * free


def _needed(footprints: Sequence[Footprint], batch_size: int, jobs: int | None) -> int:
    """Memory for all models in this process, or for processes that each run a model as large as the largest."""
    if jobs is None:
        return _bytes(footprints, batch_size)
    largest = max(_bytes([footprint], batch_size) for footprint in footprints)
    # Afterwards this process reads the Gram matrices of all models.
    return max(min(jobs, len(footprints)) * (_PROCESS + largest), _grams(footprints, batch_size))


def _bytes(footprints: Sequence[Footprint], batch_size: int) -> int:
    """Memory for all weights, the activations of one model at a time, and the Gram matrices of all models."""
    from compare.model.layer_grams import TRIAL

    activations = max(footprint.per_image for footprint in footprints) * max(batch_size, TRIAL)
    return sum(footprint.weights for footprint in footprints) + activations + _grams(footprints, batch_size)


def _grams(footprints: Sequence[Footprint], batch_size: int) -> int:
    return sum(footprint.layers for footprint in footprints) * batch_size**2 * _NUMBER


def _footprint(model: "FoundModel", layers: str | None) -> Footprint | None:
    """Run a model on the meta device, which needs no memory; None if it cannot, and loading will give the reason."""
    from zoo.model_folder.checkpoint import meta_model

    try:
        trial = meta_model(model.folder, model.config)
        weights = sum(tensor.numel() for tensor in (*trial.parameters(), *trial.buffers()))
        size, variant = model.config.pretrained_cfg.input_size, model.config.variant
        per_image = largest_call(trial, size) if variant is None else largest_of_family(variant, size)
    except ZooError:
        return None
    except Exception as error:
        if not is_foreign(error):
            raise
        return None
    return Footprint(_NUMBER * weights, _NUMBER * per_image, 0 if layers is None else _count(trial, layers))


def largest_of_family(variant: "Variant", input_size: tuple[int, int, int]) -> int:
    """What `largest_call` finds for a network of the family: the input and output of a layer of the first stage.

    PyTorch imports its compiler for a run on the meta device, which takes longer than to compare two small networks.
    """
    channels, height, width = input_size
    return 3 * 2 * max(channels, variant.filters[0]) * height * width


def largest_call(trial: "nn.Module", input_size: tuple[int, int, int]) -> int:
    """Most numbers in inputs and outputs of a layer and its block, for one image.

    A layer's input and output are in memory together with the input of its block, for the addition, the centred copy of
    the output, for the Gram matrix, and reordered copies, for convolutions. Three times input and output was 0.8 to 2.4
    times of what four networks took (PyTorch 2.13, on a CPU).
    """
    import torch

    from compare.model.frozen import hooked
    from compare.model.outputs import tensors_in

    largest = 3 * prod(input_size)

    def on_call(module: "nn.Module", inputs: Any, output: Any) -> None:
        nonlocal largest
        tensors = (*tensors_in(inputs)[:1], *tensors_in(output)[:1])
        largest = max(largest, 3 * sum(tensor.numel() for tensor in tensors))

    leaves = [(module, on_call) for module in trial.modules() if next(module.children(), None) is None]
    with hooked(trial, leaves), torch.no_grad():
        trial(torch.empty(1, *input_size, device="meta"))
    return largest


def _count(trial: "nn.Module", layers: str) -> int:
    """Number of selected layers; with `all`, that of the blocks if there are too many."""
    from compare.errors import CompareError
    from compare.model.layer_grams import MANY_LAYERS
    from compare.model.select_layers import select

    try:
        selected = select(trial, layers)
        if layers != "all":
            return len(selected)
        # A module with submodules is no layer, except for a few blocks.
        leaves = sum(next(module.children(), None) is None for module in trial.modules())
        return leaves if leaves <= MANY_LAYERS else len(select(trial, "blocks"))
    except CompareError:
        return 0


def free_on(device: str) -> int | None:
    """Free memory of a device in bytes; None if it is unknown."""
    import torch

    from zoo.base.memory import free_memory

    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return free_memory() if kind == "cpu" else None


def _largest(models: Sequence["FoundModel"]) -> str:
    """Height and width of the largest images that a model takes, such as 224x224."""
    _, height, width = max((model.config.pretrained_cfg.input_size for model in models), key=prod)
    return f"{height}x{width}"
