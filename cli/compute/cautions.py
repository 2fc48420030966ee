"""What readers of a comparison must know before its answers: equal weights, and what the models were trained on."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.errors import ZooError
from zoo.model_folder.folder import read_record
from zoo.record.names import same_dataset

if TYPE_CHECKING:
    from compare.result.comparison import Comparison
    from compare.result.models import DatasetResult
    from zoo.hub.find import FoundModel


def with_cautions(result: "Comparison", models: Sequence["FoundModel"]) -> "Comparison":
    """Add the cautions that come from the files of the models, before those that come from their predictions.

    Args:
        result: the comparison.
        models: its two models.
    """
    from compare.result.comparison import SAME_WEIGHTS

    same = [SAME_WEIGHTS] if models[0].sha256 == models[1].sha256 else []
    # Each once: modules in memory are compared too.
    cautions = tuple(dict.fromkeys((*same, *_training(models, result.dataset), *result.cautions)))
    notes = tuple(dict.fromkeys((*cautions, *result.notes)))
    return replace(result, cautions=cautions, notes=notes)


def _training(models: Sequence["FoundModel"], dataset: "DatasetResult") -> Iterator[str]:
    """One sentence per kind of training data that makes the images unsuitable for evaluation."""
    sides: dict[str, list[str]] = {}
    for side, model in zip("ab", models, strict=True):
        if end := _end_of_sentence(model, dataset):
            sides.setdefault(end, []).append(side)
    for end, of_sentence in sides.items():
        yield f"{' and '.join(of_sentence)} {'was' if len(of_sentence) == 1 else 'were'} trained on {end}"


def _end_of_sentence(model: "FoundModel", dataset: "DatasetResult") -> str | None:
    """What is noteworthy about a model's training data: other images, or the same; None if nothing is."""
    with suppress(ZooError):  # Models of other programs have no record.
        trained = read_record(model.folder).data
        name = dataset.name or ""
        if dataset.fingerprint == trained.test_fingerprint:
            return None
        same = same_dataset(trained.name, name)
        if dataset.fingerprint == trained.train_fingerprint or (same and dataset.split != "test"):
            return f"images of {name} {dataset.split}, so the accuracy here is not that on new images."
        if not same:
            return f"{trained.name}, evaluated on {name}."
    return None
