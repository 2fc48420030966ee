"""Linear probes: how much of the classes can be read off the features before and after each residual addition."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from compare.errors import CompareError
from compare.probes.held_out import Split
from compare.probes.points import PointReader, ProbePoint, probe_points, reading
from compare.probes.probe import Probe, count_right
from compare.result.inspection import ProbeResult, ProbeRow
from compare.stats.paired import wilson

# Base-10 logarithms of the strengths of regularisation to choose from.
LOG10_STRENGTHS = (-2, -3, -4, -5, -6, -7)
# Passes in which the probes learn.
EPOCHS = 40
# Passes over the training examples before them: moments and sketch.
PREPARATIONS = 2
# What a probe does with features, labels and which examples are held out.
Act = Callable[[Probe, Tensor, Tensor, Tensor], None]


def fit_probes(
    model: nn.Module,
    train: Iterable[Any],
    test: Iterable[Any],
    *,
    classes: int,
    points: Sequence[ProbePoint] | None = None,
    seed: int = 0,
    epochs: int = EPOCHS,
    on_step: Callable[[], None] = lambda: None,
) -> ProbeResult:
    """Train a softmax regression on the frozen features of each point, and test it.

    Features are standardised, then divided by the root of their number. A probe minimises its mean cross-entropy +
    strength / 2 |W|^2, where the strength is the one with the least cross-entropy on a fifth of the training examples,
    chosen at random, when the others are learned from; with it all of them are. All probes and strengths learn at the
    same time, from all training examples in each step, so the sizes and the order of the minibatches do not matter.
    In memory are about 15 times the weights of all fits, which are 12 per probe, and one minibatch.

    Args:
        model: any module that takes one tensor and returns logits, shape (n, classes).
        train: a re-iterable of (inputs, labels) or (inputs, labels, indices); without indices the examples must come
            in the same order in every pass, and always the same, without augmentation.
        test: the same of the examples to test on; gone through once.
        classes: how many there are, at least 2.
        points: where the probes are; before and after each residual addition if not given, see `probe_points`.
        seed: which examples are held out.
        epochs: passes over the training examples in which the probes learn, after `PREPARATIONS` others.
        on_step: called after each minibatch of each pass.

    Returns:
        One row per point. A layer that is constant or not finite has no probe, and a reason.

    Raises:
        CompareError: fewer training examples than classes, labels that are no classes, examples that change between
            passes, or unusable points or arguments.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327, figure 4; Alain & Bengio 2016, arXiv:1610.01644 (probes).
    """
    for name, value, least in (("classes", classes, 2), ("epochs", epochs, 1)):
        if value < least:
            raise CompareError(f"{name} must be at least {least}, got {value}.")
    points = probe_points(model) if points is None else tuple(points)
    training, testing = Split("train", train, classes), Split("test", test, classes)
    probes = [Probe(classes, LOG10_STRENGTHS, seed) for _ in points]
    with reading(model, points) as reader, torch.inference_mode(False), torch.no_grad():
        _learn(partial(_sweep, reader, probes, on_step), training, probes, epochs, seed)
        right = _sweep(reader, probes, on_step, testing, Probe.test)
    accuracy, low, high = _accuracy(right, len(testing))
    return ProbeResult(
        probes=tuple(_row(point, probe, len(testing)) for point, probe in zip(points, probes, strict=True)),
        model_accuracy=accuracy,
        model_low=low,
        model_high=high,
        classes=classes,
        train_examples=len(training),
        held_out_examples=training.held_out,
        test_examples=len(testing),
        epochs=epochs,
        seed=seed,
    )


def _learn(sweep: Callable[[Split, Act], Any], training: Split, probes: list[Probe], epochs: int, seed: int) -> None:
    sweep(training, Probe.measure)
    training.hold_out(torch.Generator("cpu").manual_seed(seed))
    for probe in probes:
        probe.end_measure()
    sweep(training, Probe.sketch)
    sound = [probe for probe in probes if probe.reason is None]
    for probe in sound:
        probe.end_sketch()
    for _ in range(epochs):
        sweep(training, Probe.learn)
        for probe in sound:
            probe.end_learn()


def _sweep(reader: PointReader, probes: list[Probe], on_step: Callable[[], None], split: Split, act: Act) -> int | None:
    """One pass of all probes over a split; how many examples the model itself gets right, None if nobody knows."""

    def take(labels: Tensor, held_out: Tensor, number: int, x: Tensor) -> None:
        if probes[number].reason is None:
            act(probes[number], x, labels, held_out)

    right: int | None = 0
    for inputs, labels, held_out in split:
        logits = reader.run(inputs, partial(take, labels, held_out))
        if logits.shape[1] != split.classes:
            right = None
        if right is not None:
            right += count_right(logits, labels)
        on_step()
    return right


def _accuracy(right: int | None, examples: int) -> tuple[float, float, float] | tuple[None, None, None]:
    if right is None:
        return None, None, None
    accuracy, low, high = (float(value) for value in wilson(right, examples))
    return accuracy, low, high


def _row(point: ProbePoint, probe: Probe, examples: int) -> ProbeRow:
    sound = probe.reason is None
    accuracy, low, high = _accuracy(probe.right if sound else None, examples)
    strength = probe.log10_strength if sound else None
    return ProbeRow(point.layer, point.kind, probe.features, accuracy, low, high, strength, probe.reason)
