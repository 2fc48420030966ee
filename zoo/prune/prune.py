"""Remove residual blocks from a trained model for good, fine-tune, and measure the effect."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import median

import torch
from torch import nn

from zoo.data.image_set import Images, ImageSet
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet
from zoo.record.fields import ClassAccuracy, Epoch
from zoo.record.pruning import FineTuning, Measured, Pruned
from zoo.record.recipe import Recipe
from zoo.record.training import TrainingRecord
from zoo.train.evaluate import class_accuracies, predict, settle_batch_norm
from zoo.train.loop import fit

# Fine-tuning starts at a tenth of the original learning rate, as near the end of the original training.
LR_FACTOR = 0.1
# Number of images for timing.
TIMED_IMAGES = 1000


def blocks_within(variant: Variant, spans: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """List the residual blocks within spans of similar layers, except for the first block of each span.

    Only blocks with an identity shortcut are listed, so never the first of stages 2 and 3. The first block of a span is
    kept, since the others only pass on its output. So every stage keeps a block.

    Args:
        variant: a member of the CIFAR family.
        spans: disjoint half-open ranges of layer indices, among all representations in execution order.

    Returns:
        Names such as `stage1.3`, in execution order.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, figure 5: in the middle stage of a wide network, accuracy drops only when
        the first layers of its block structure are removed.
    """
    blocks = list(_identity_blocks(variant))
    within = [[name for name, first, last in blocks if start <= first and last <= stop] for start, stop in spans]
    removable = {name for names in within for name in names[1:]}
    return tuple(name for name, _, _ in blocks if name in removable)


def _identity_blocks(variant: Variant) -> Iterator[tuple[str, int, int]]:
    """Yield name and half-open range of layers of every block with an identity shortcut."""
    # After the input, and the convolution, batch norm, and ReLU of the stem.
    start = 4
    for stage, blocks in enumerate(variant.blocks, 1):
        for block in range(blocks):
            projects = stage > 1 and block == 0
            stop = start + (8 if projects else 7)
            if not projects:
                yield f"stage{stage}.{block}", start, stop
            start = stop


def prune(model: CifarResNet, remove: Sequence[str]) -> CifarResNet:
    """Build a smaller model without some residual blocks; the other blocks are renumbered.

    Its logits equal those of the original model if removed blocks pass on their inputs unchanged.

    Args:
        model: the original model; it is not changed.
        remove: names of blocks with an identity shortcut, such as `stage1.3`.

    Returns:
        A new model with copied weights, on the same device and in the same mode.

    Raises:
        ZooError: `remove` is empty, or a block does not exist or cannot be removed.
    """
    _check_removable(model.variant, remove)
    remaining = [
        [block for block in range(blocks) if f"stage{stage}.{block}" not in remove]
        for stage, blocks in enumerate(model.variant.blocks, 1)
    ]
    n1, n2, n3 = map(len, remaining)
    with torch.device("meta"):
        pruned = CifarResNet(replace(model.variant, depth=2 + 2 * (n1 + n2 + n3), stage_blocks=(n1, n2, n3)))
    old_names = {
        f"stage{stage}.{new}": f"stage{stage}.{old}"
        for stage, blocks in enumerate(remaining, 1)
        for new, old in enumerate(blocks)
    }
    weights = model.state_dict()
    pruned.load_state_dict(
        {name: weights[_old_name(name, old_names)].clone() for name in pruned.state_dict()}, assign=True
    )
    return pruned.train(model.training)


def _old_name(name: str, old_names: dict[str, str]) -> str:
    """Name in the original model of a tensor such as `stage1.3.conv1.weight`."""
    part, index, rest = name.split(".", 2)
    return f"{old_names.get(f'{part}.{index}', f'{part}.{index}')}.{rest}"


def _check_removable(variant: Variant, remove: Sequence[str]) -> None:
    removable = [name for name, _, _ in _identity_blocks(variant)]
    wrong = [name for name in remove if name not in removable]
    if wrong or not remove:
        n1, n2, n3 = variant.blocks
        raise ZooError(
            f"expected blocks of {variant.name}, which has {n1}, {n2}, and {n3} in its stages, counted from 0, got "
            f"{repr(wrong[0][:100]) if wrong else 'none'}; choose blocks such as stage1.1, but not stage2.0 and "
            "stage3.0, whose shortcuts are projections."
        )
    if len(set(remove)) < len(remove):
        raise ZooError(f"expected each block once, got {', '.join(remove)[:100]}; remove the duplicate.")
    if len([name for name in remove if name.startswith("stage1.")]) == variant.blocks[0]:
        raise ZooError(f"stage1 must keep at least one block, got all {variant.blocks[0]} to remove; leave one out.")


def fine_tuning_recipe(recipe: Recipe, epochs: int) -> Recipe:
    """Recipe for fine-tuning: that of the original model with a tenth of its learning rate.

    Args:
        recipe: training hyperparameters of the original model.
        epochs: number of epochs of fine-tuning.
    """
    return replace(recipe, epochs=epochs, lr=recipe.lr * LR_FACTOR)


def fine_tune(
    model: CifarResNet,
    data: ImageSet,
    recipe: Recipe,
    seed: int,
    *,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
) -> FineTuning:
    """Fine-tune a pruned model in place, and recompute its batch norm statistics.

    Args:
        model: a pruned model, on the device to train on.
        data: training images of the original model.
        recipe: training hyperparameters, such as `fine_tuning_recipe` returns.
        seed: seed of image order and augmentation.
        on_epoch: called after each epoch.
        on_step: called after each step.

    Raises:
        ZooError: training diverges.
    """
    history = fit(model, data, recipe, torch.Generator().manual_seed(seed), on_epoch=on_epoch, on_step=on_step)
    settle_batch_norm(model, data.images, recipe.batch_size)
    return FineTuning(recipe, seed, history)


def pruned_record(
    record: TrainingRecord,
    model: CifarResNet,
    pruned: CifarResNet,
    test_set: ImageSet,
    *,
    original: str,
    sha256: str,
    removed: tuple[str, ...],
    fine_tuning: FineTuning | None,
) -> TrainingRecord:
    """Measure the original and the pruned model, and create the record of the pruned model.

    Args:
        record: training record of the original model.
        model: the original model.
        pruned: the pruned model, on the same device.
        test_set: test images.
        original: name of the original model, for the record.
        sha256: sha256 of its weights.
        removed: names of the removed blocks.
        fine_tuning: fine-tuning of the pruned model; None if there was none.

    Raises:
        ZooError: a model returns logits that are not finite.
    """
    _, height, width = test_set.input_size
    models = (model, pruned)
    tests = [_test(each, test_set) for each in models]
    before, after = (
        Measured(
            right=sum(row.right for row in rows),
            examples=len(test_set),
            parameters=each.variant.parameters,
            multiply_adds=each.variant.multiply_adds(height, width),
            seconds_per_1000=seconds,
        )
        for each, rows, seconds in zip(models, tests, seconds_per_1000(models, test_set.images), strict=True)
    )
    device = str(next(pruned.parameters()).device)
    change = Pruned(original, sha256, removed, before, after, device, fine_tuning)
    return replace(record, variant=pruned.variant, test=tests[1], pruned=change)


def _test(model: CifarResNet, data: ImageSet) -> tuple[ClassAccuracy, ...]:
    logits = predict(model, data.images)
    if not logits.isfinite().all():
        raise ZooError(f"expected finite logits of {model.variant.name}, got NaN or infinity; choose another model.")
    return class_accuracies(logits.argmax(1), data)


def seconds_per_1000(models: Sequence[nn.Module], images: Images, repeats: int = 5) -> tuple[float, ...]:
    """Measure the median wall time of each model for 1,000 images.

    The models alternate, so that changes in the machine's speed affect all of them.

    Args:
        models: models that take images in [0, 1]; they stay in eval mode.
        images: uint8, shape (n, channels, height, width); the first 1,000 are used.
        repeats: number of measurements, after one warm-up.

    Returns:
        Seconds per 1,000 images of each model.
    """
    images = images[:TIMED_IMAGES]
    times: list[list[float]] = [[] for _ in models]
    for _ in range(repeats + 1):
        for model, seconds in zip(models, times, strict=True):
            start = time.perf_counter()
            predict(model, images)
            seconds.append(time.perf_counter() - start)
    return tuple(1000 * median(seconds[1:]) / len(images) for seconds in times)
