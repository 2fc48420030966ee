"""How much of the classes can be read off a model's features: plain frozen values. Needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProbeRow:
    """One probe.

    Args:
        layer: name of the module.
        kind: `pre`, before the module, of an addition the end of the residual branch; `post`, after it.
        features: numbers per example that it reads.
        accuracy: fraction of the test examples that it gets right, in [0, 1]; None, like all that follows but the
            reason, if there is no probe.
        low: lower end of the 95 % interval of the accuracy (Wilson).
        high: upper end.
        log10_strength: base-10 logarithm of the chosen strength of regularisation.
        reason: why there is no probe.
    """

    layer: str
    kind: str
    features: int
    accuracy: float | None
    low: float | None
    high: float | None
    log10_strength: int | None
    reason: str | None


@dataclass(frozen=True)
class ProbeResult:
    """Probes of one model.

    Args:
        probes: one per site, in the order in which they were asked for.
        model_accuracy: fraction of the test examples that the model itself gets right; None, like its interval, if it
            has another number of logits than there are classes.
        model_low: lower end of its 95 % interval (Wilson).
        model_high: upper end.
        classes: how many.
        train_examples: that the probes learned from.
        held_out_examples: of these, that chose the strengths of regularisation.
        test_examples: that accuracies come from.
        epochs: passes in which the probes learned.
        seed: of the held-out examples.
    """

    probes: tuple[ProbeRow, ...]
    model_accuracy: float | None
    model_low: float | None
    model_high: float | None
    classes: int
    train_examples: int
    held_out_examples: int
    test_examples: int
    epochs: int
    seed: int
