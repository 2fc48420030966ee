"""What readers of a result must know before its answers: equal weights, and what the models were trained on."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from zoo.errors import ZooError
from zoo.model_folder.folder import read_record
from zoo.record.names import same_dataset

if TYPE_CHECKING:
    from compare.result.comparison import Comparison
    from compare.result.groups import GroupComparison
    from compare.result.inspection import Inspection
    from compare.result.matrix import ModelMatrix
    from compare.result.models import DatasetResult
    from zoo.hub.find import FoundModel

Result = TypeVar("Result", "Comparison", "Inspection", "ModelMatrix", "GroupComparison")


def with_cautions(result: Result, models: Sequence["FoundModel"], sides: Sequence[str]) -> Result:
    """Add the cautions that come from the files of the models, before those that come from their predictions.

    Args:
        result: the result.
        models: its models.
        sides: names of the models in the sentences, such as `a` and `b`.
    """
    of_files = (*_same_weights(models, sides), *_training(models, sides, result.dataset))
    cautions = _each_once(*of_files, *result.cautions)
    return replace(result, cautions=cautions, notes=_each_once(*cautions, *result.notes))


def _each_once(*sentences: str) -> tuple[str, ...]:
    """Without repetitions: modules in memory are compared too."""
    return tuple(dict.fromkeys(sentences))


def _same_weights(models: Sequence["FoundModel"], sides: Sequence[str]) -> Iterator[str]:
    from compare.result.models import same_weights_caution

    by_hash: dict[str, list[str]] = {}
    for side, model in zip(sides, models, strict=True):
        by_hash.setdefault(model.sha256, []).append(side)
    yield from (same_weights_caution(equal) for equal in by_hash.values() if len(equal) > 1)


def _training(models: Sequence["FoundModel"], sides: Sequence[str], dataset: "DatasetResult") -> Iterator[str]:
    """One sentence per kind of training data that makes the images unsuitable for evaluation."""
    from compare.result.models import together

    by_end: dict[str, list[str]] = {}
    for side, model in zip(sides, models, strict=True):
        if end := _end_of_sentence(model, dataset):
            by_end.setdefault(end, []).append(side)
    for end, named in by_end.items():
        yield f"{together(named)} {'was' if len(named) == 1 else 'were'} trained on {end}"


def _end_of_sentence(model: "FoundModel", dataset: "DatasetResult") -> str | None:
    """What is noteworthy about a model's training data: other images, or the same; None if nothing is."""
    # Models of other programs have no record.
    with suppress(ZooError):
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
