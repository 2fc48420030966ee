"""Linear probes: accuracy of a linear classifier before and after each residual addition."""

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

# Base-10 logarithms of the candidate regularisation strengths.
LOG10_STRENGTHS = (-2, -3, -4, -5, -6, -7)
# Number of training passes.
EPOCHS = 40
# Number of passes over the training examples before training: moments and sketch.
PREPARATIONS = 2
# A method of Probe that takes features, labels, and whether each example is held out.
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
    """Train and test a linear probe (softmax regression) on the frozen features of each point.

    Features are standardised and divided by the square root of their number. A probe minimises its mean cross-entropy +
    strength / 2 |W|^2. The strength with the lowest cross-entropy on a random fifth of the training examples is chosen,
    and the probe is then trained on all of them. All probes and strengths train at the same time, on all training
    examples in each step, so size and order of the minibatches do not matter. Memory is about 15 times the weights of
    all fits, 12 per probe, plus one minibatch.

    Args:
        model: a module that takes one tensor and returns logits, shape (n, classes).
        train: training examples, a re-iterable of (inputs, labels) or (inputs, labels, indices), without augmentation.
            Without indices, examples must have the same order in every pass.
        test: test examples, in the same form; read once.
        classes: number of classes, at least 2.
        points: probe points; if None, before and after each residual addition, see `probe_points`.
        seed: random seed of the held-out examples.
        epochs: number of training passes, after `PREPARATIONS` other passes.
        on_step: called after each minibatch of each pass.

    Returns:
        One row per point. Points whose features are constant or not finite have no probe, and a reason.

    Raises:
        CompareError: there are fewer training examples than classes, a label is not a class, examples change between
            passes, or a point or argument is invalid.

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
    """Make one pass of all probes over a split. Returns the model's own number of right answers, if known."""

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
