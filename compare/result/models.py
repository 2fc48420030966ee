"""Models and datasets in a result. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

# More models are counted instead of named.
MOST_NAMED = 4


@dataclass(frozen=True)
class ModelResult:
    """A model: where it comes from, and the numbers that concern it alone.

    Args:
        ref: reference given by the user: a folder or a Hub id; None for a module in memory.
        name: short name for tables and pictures.
        revision: commit on the Hub; None for other sources.
        sha256: SHA-256 of the weights file; None if there is none.
        architecture: class name or registered name of the architecture.
        parameters: number of parameters.
        accuracy: accuracy on the examples, in [0, 1]; None without labels, or if the model's classes are not the
            data's.
        layers: names of the compared layers, in execution order.
        pc1_fraction: for each layer, the fraction of its variance on its first principal component, in (0, 1]; None for
            layers that are constant or not finite.
        kind: source of the model: `folder`, `hub`, or `py` for a function of the user's own; None for a module in
            memory.

    Example:
        >>> import torch
        >>> import compare
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
        >>> result = compare.inspect_model(model, [(torch.randn(32, 8), torch.randint(3, (32,)))])
        >>> result.model.name, result.model.parameters, result.model.layers
        ('Sequential', 195, ('0', '1', '2'))
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


# At least one model.
Models = Annotated[tuple[ModelResult, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class ModelPair:
    """The two models of a comparison.

    Args:
        a: the first model.
        b: the second model.
    """

    a: ModelResult
    b: ModelResult


@dataclass(frozen=True)
class DatasetResult:
    """The examples that the models saw.

    Args:
        name: name of the dataset; None for batches in memory.
        split: split of the dataset, such as `test`; None for batches in memory.
        examples: number of examples.
        classes: class names.
        fingerprint: SHA-256 of images, labels, and class names; None for batches in memory.

    Example:
        >>> import torch
        >>> import compare
        >>> batches = [(torch.randn(32, 8), torch.randint(3, (32,)))]
        >>> compare.inspect_model(torch.nn.Linear(8, 3), batches, class_names=("cat", "dog", "frog")).dataset
        DatasetResult(name=None, split=None, examples=32, classes=('cat', 'dog', 'frog'), fingerprint=None)
    """

    name: str | None
    split: str | None
    examples: int
    classes: tuple[str, ...]
    fingerprint: str | None


def same_weights_caution(sides: Sequence[str]) -> str:
    """The caution that some models have the same weights.

    Args:
        sides: names of these models in the sentence, such as `a` and `b`.

    Example:
        >>> same_weights_caution("ab")
        'a and b have the same weights.'
    """
    return f"{together(sides)} have the same weights."


def together(sides: Sequence[str]) -> str:
    """Names of models as the subject of a sentence; of more than four, three are named.

    Args:
        sides: the names, at least one.

    Example:
        >>> together(["a1"]), together(["a1", "a2", "b1"]), together(["a1", "a2", "a3", "b1", "b2"])
        ('a1', 'a1, a2 and b1', 'a1, a2, a3 and 2 others')
    """
    named = list(sides)
    if len(named) > MOST_NAMED:
        named[MOST_NAMED - 1 :] = [f"{len(named) - MOST_NAMED + 1} others"]
    *first, last = named
    return f"{', '.join(first)} and {last}" if first else last
