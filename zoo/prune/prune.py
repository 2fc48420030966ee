"""Smaller variants: residual blocks taken out of a trained model for good, and what that changes."""

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

# Fine-tuning starts where the original's training had almost ended.
LR_FACTOR = 0.1
# Enough for a time per 1,000 images.
TIMED_IMAGES = 1000


def blocks_within(variant: Variant, spans: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """The residual blocks that lie within spans of alike layers, but the first of each span.

    Only blocks whose shortcut is the identity, so not the first of stages 2 and 3. The first block of a span stays
    because it makes what the others pass on. So every stage keeps a block.

    Args:
        variant: a member of the family.
        spans: disjoint, each the index of the first layer and that after the last, among all of its
            `representations` in execution order.

    Returns:
        Names such as `stage1.3`, in execution order.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, figure 5: in the middle stage of a wide network, accuracy holds until the
        first layers of its block structure go.
    """
    places = list(_identity_blocks(variant))
    within = [[name for name, first, last in places if start <= first and last <= stop] for start, stop in spans]
    removed = {name for names in within for name in names[1:]}
    return tuple(name for name, _, _ in places if name in removed)


def _identity_blocks(variant: Variant) -> Iterator[tuple[str, int, int]]:
    """Name, first layer, and layer after the last, of every block whose shortcut is the identity."""
    start = 4  # after the input, and convolution, batch norm and ReLU of the stem
    for stage, blocks in enumerate(variant.blocks, 1):
        for block in range(blocks):
            projects = stage > 1 and block == 0
            stop = start + (8 if projects else 7)
            if not projects:
                yield f"stage{stage}.{block}", start, stop
            start = stop


def prune(model: CifarResNet, remove: Sequence[str]) -> CifarResNet:
    """The smaller model that is left without some residual blocks, the others renumbered.

    Its logits are those of the model with the removed blocks' inputs passed on.

    Args:
        model: stays as it is.
        remove: names of blocks whose shortcut is the identity, such as `stage1.3`.

    Returns:
        A model with weights of its own, on the same device and in the same mode.

    Raises:
        ZooError: there is no such block, it cannot be removed, or nothing is to be.
    """
    _check_removable(model.variant, remove)
    kept = [
        [block for block in range(blocks) if f"stage{stage}.{block}" not in remove]
        for stage, blocks in enumerate(model.variant.blocks, 1)
    ]
    n1, n2, n3 = map(len, kept)
    with torch.device("meta"):
        pruned = CifarResNet(replace(model.variant, depth=2 + 2 * (n1 + n2 + n3), stage_blocks=(n1, n2, n3)))
    old_names = {
        f"stage{stage}.{new}": f"stage{stage}.{old}"
        for stage, blocks in enumerate(kept, 1)
        for new, old in enumerate(blocks)
    }
    weights = model.state_dict()
    pruned.load_state_dict(
        {name: weights[_old_name(name, old_names)].clone() for name in pruned.state_dict()}, assign=True
    )
    return pruned.train(model.training)


def _old_name(name: str, old_names: dict[str, str]) -> str:
    """Name of a tensor such as `stage1.3.conv1.weight` in the original."""
    part, index, rest = name.split(".", 2)
    return f"{old_names.get(f'{part}.{index}', f'{part}.{index}')}.{rest}"


def _check_removable(variant: Variant, remove: Sequence[str]) -> None:
    removable = [name for name, _, _ in _identity_blocks(variant)]
    wrong = [name for name in remove if name not in removable]
    if wrong or not remove:
        n1, n2, n3 = variant.blocks
        raise ZooError(
            f"expected blocks of {variant.name}, which has {n1}, {n2} and {n3} in its stages, counted from 0, got "
            f"{repr(wrong[0][:100]) if wrong else 'none'}; name some such as stage1.1, but not stage2.0 and stage3.0, "
            "whose shortcuts project."
        )
    if len(set(remove)) < len(remove):
        raise ZooError(f"expected each block once, got {', '.join(remove)[:100]}; name it once.")
    if len([name for name in remove if name.startswith("stage1.")]) == variant.blocks[0]:
        raise ZooError(f"expected a block of stage1 to stay, got all {variant.blocks[0]} to remove; leave one out.")


def fine_tuning_recipe(recipe: Recipe, epochs: int) -> Recipe:
    """So many epochs of the original's recipe, from a tenth of its learning rate, which falls to 0 again."""
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
    """Train a pruned model a little more, in place; its batch norm settles on the images anew.

    Args:
        model: what `prune` gave, on the device to train on.
        data: what the original was trained on.
        recipe: how, such as `fine_tuning_recipe` says.
        seed: of order and augmentation.
        on_epoch: called after each epoch.
        on_step: called after each step.

    Raises:
        ZooError: the loss is no longer a number.
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
    """Measure a model and what was made of it side by side, and put it on record.

    Args:
        record: of the original.
        model: the original.
        pruned: the smaller model, on the same device.
        test_set: the images to test on.
        original: where the original is.
        sha256: of its weights.
        removed: names of the blocks removed.
        fine_tuning: how the smaller model was trained again, if it was.

    Raises:
        ZooError: one of them gives no finite logits.
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
        raise ZooError(f"expected finite logits of {model.variant.name}, got others; choose another model.")
    return class_accuracies(logits.argmax(1), data)


def seconds_per_1000(models: Sequence[nn.Module], images: Images, repeats: int = 5) -> tuple[float, ...]:
    """Median wall time that each model takes for 1,000 images.

    The models take turns, so that a machine that slows down does so for all of them.

    Args:
        models: they take images scaled to [0, 1]; left in eval mode.
        images: uint8, shape (n, channels, height, width), of which the first 1,000 are timed.
        repeats: times that each one is measured, after one that does not count.
    """
    images = images[:TIMED_IMAGES]
    times: list[list[float]] = [[] for _ in models]
    for _ in range(repeats + 1):
        for model, taken in zip(models, times, strict=True):
            start = time.perf_counter()
            predict(model, images)
            taken.append(time.perf_counter() - start)
    return tuple(1000 * median(taken[1:]) / len(images) for taken in times)
