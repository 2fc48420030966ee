"""Models and images in a result. Needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelResult:
    """One of the two models, and what was found in it alone.

    Args:
        ref: the reference it was asked for by; None for a module in memory.
        name: short name for tables and pictures.
        revision: commit on the Hub, if it comes from there.
        sha256: hash of the weights file, if there is one.
        architecture: class or registered name.
        parameters: how many numbers it has learned.
        accuracy: fraction of the examples that it gets right, in [0, 1]; None if its classes are not the data's.
        layers: names of the layers looked at, in execution order.
        pc1_fraction: per layer, the share of variance on its first principal component, in (0, 1].
        kind: where it comes from: `folder` or `hub`; None for a module in memory.
    """

    ref: str | None
    name: str
    revision: str | None
    sha256: str | None
    architecture: str
    parameters: int
    accuracy: float | None
    layers: tuple[str, ...]
    pc1_fraction: tuple[float | None, ...]
    kind: str | None = None


@dataclass(frozen=True)
class ModelPair:
    """The two models."""

    a: ModelResult
    b: ModelResult


@dataclass(frozen=True)
class DatasetResult:
    """The examples that both models saw.

    Args:
        name: name of the data set; None for batches from memory, like split and fingerprint.
        split: which part of it.
        examples: how many.
        classes: names of the classes.
        fingerprint: sha256 over images, labels and class names.
    """

    name: str | None
    split: str | None
    examples: int
    classes: tuple[str, ...]
    fingerprint: str | None
