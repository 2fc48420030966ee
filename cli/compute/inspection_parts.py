"""The parts of an inspection that need extra passes over the images: deletion of blocks, and linear probes."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from cli.inputs.images import load
from cli.inputs.prepare import Prepared
from zoo.errors import ZooError

if TYPE_CHECKING:
    from torch import Tensor

    from compare.result.inspection import DeletedBlocks, ProbeResult
    from zoo.data.image_set import ImageSet
    from zoo.family.cifar_resnet import CifarResNet


def check_deletable(prepared: Prepared) -> None:
    """Check, before any work, that blocks of a model can be deleted and the result measured.

    Raises:
        ZooError: the architecture is no variant, or classes or image size differ from those of its training.
    """
    config, data = prepared.models[0].config, prepared.data
    if config.variant is None:
        raise ZooError(f"--part deletion needs a variant trained with `zoo train`, got a {config.architecture}.")
    if config.label_names != data.classes or config.pretrained_cfg.input_size != data.input_size:
        raise ZooError(
            f"--part deletion needs images and classes like those that {prepared.models[0].ref} was trained on."
        )


def delete(prepared: Prepared) -> tuple["DeletedBlocks", ...]:
    """Accuracy without the last blocks of each stage; call `check_deletable` first."""
    from compare.result.inspection import DeletedBlocks
    from zoo.prune.deletion import delete_blocks

    model, data = cast("CifarResNet", prepared.module(0)), prepared.data
    return tuple(DeletedBlocks(**asdict(row)) for row in delete_blocks(model, data.images, data.labels))


def probe(prepared: Prepared) -> "ProbeResult":
    """Train linear probes before and after each residual addition, on the training split.

    Raises:
        ZooError: there is no training split of the same classes.
    """
    from cli.terminal.progress import progress_bar
    from compare.probes.probes import EPOCHS, PREPARATIONS, fit_probes

    test = prepared.data
    train = load(prepared.dataset, "train", test.view)
    if train.classes != test.classes:
        raise ZooError(f"expected the classes of {test.name} {test.split} in its training split too, got others.")
    batches = [_InOrder(data, prepared.batch_size) for data in (train, test)]
    with progress_bar() as progress:
        steps = len(batches[0]) * (EPOCHS + PREPARATIONS) + len(batches[1])
        task = progress.add_task("training probes", total=steps, facts="")
        return fit_probes(
            prepared.module(0),
            *batches,
            classes=len(test.classes),
            seed=prepared.seed,
            on_step=lambda: progress.advance(task),
        )


class _InOrder:
    """Minibatches in the order of the split."""

    def __init__(self, data: "ImageSet", batch_size: int) -> None:
        self._data = data
        self._batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self._data) // self._batch_size)

    def __iter__(self) -> Iterator[tuple["Tensor", "Tensor", "Tensor"]]:
        data = self._data
        parts = (values.split(self._batch_size) for values in (data.images, data.labels, data.indices))
        return zip(*parts, strict=True)
