"""Describe models, datasets, settings, and versions in a result."""

import platform
from importlib.metadata import version

from torch import Tensor

from compare.engine.numbers import row
from compare.engine.stream import Stream
from compare.result.base import Settings
from compare.result.models import DatasetResult, ModelResult
from compare.result.spans import BlockSpan
from compare.structure.contrast import CONTRAST
from compare.structure.spans import DOMINANT, THRESHOLD, find_block_structure

BLOCK_SETTINGS: Settings = {"block_threshold": THRESHOLD, "block_contrast": CONTRAST, "block_dominant": DOMINANT}


def describe(stream: Stream, number: int) -> ModelResult:
    """Describe one of the stream's models as a module in memory."""
    run = stream.runs[number]
    return ModelResult(
        ref=None,
        name=run.kind,
        revision=None,
        sha256=None,
        architecture=run.kind,
        parameters=run.parameters,
        accuracy=accuracy_of(stream, number),
        layers=tuple(run.names),
        pc1_fraction=row(stream.principal.fraction()[stream.parts[number]]),
    )


def describe_data(stream: Stream) -> DatasetResult:
    """Describe the examples as batches in memory."""
    return DatasetResult(
        name=None, split=None, examples=stream.examples, classes=stream.answers.class_names, fingerprint=None
    )


def settings(stream: Stream) -> Settings:
    """All settings that the similarities depend on."""
    plan = stream.plan
    return {
        "layers": plan.layers,
        "passes": plan.passes,
        "precision": plan.gram_precision,
        "estimator": "minibatch HSIC_1",
        "batch_size": stream.batch_size,
        "minibatches": stream.cka.batches,
        "examples_in_cka": stream.examples_in_cka,
        "tolerance": plan.tolerance,
        "permutations": plan.permutations,
        "seed": plan.seed,
        "measures": ",".join(("cka", *plan.measures)),
        "pool": plan.pool,
    }


def versions() -> dict[str, str]:
    """Versions of this package, Python, and the libraries that results depend on."""
    packages = {name: version(name) for name in ("resnet-zoo", "torch", "numpy", "scipy")}
    return packages | {"python": platform.python_version()}


def accuracy_of(stream: Stream, number: int) -> float | None:
    """Accuracy of a model, in [0, 1]; None without labels, or if its classes are not the data's."""
    answers = stream.answers
    if not answers.predicts_data_classes(number) or not answers.labelled:
        return None
    return (answers.of(number).classes == answers.labels).double().mean().item()


def find_spans(cka: Tensor, fraction: Tensor, alignment: Tensor, layers: list[str]) -> tuple[BlockSpan, ...]:
    """Find spans of similar layers in one model.

    Args:
        cka: CKA of all pairs of layers, shape (L, L).
        fraction: PC1 fractions, shape (L,).
        alignment: PC1 alignment of all pairs of layers, shape (L, L).
        layers: layer names, length L.
    """
    return find_block_structure(cka.numpy(), fraction.numpy(), pc1_alignment=alignment.numpy(), layers=layers)
