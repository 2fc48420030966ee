"""Compare two architectures over several seeds of each, in one pass over the data."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from compare.answers.answers import Answers
from compare.answers.cautions import find_cautions
from compare.answers.notes import answer_notes
from compare.answers.predict import predict, right_of
from compare.answers.sources import Source, find_source
from compare.engine.describe import versions
from compare.errors import CompareError
from compare.groups.classes import class_tests, count_right
from compare.groups.confirm import confirmation, selecting
from compare.groups.spread import spread
from compare.model.class_names import find_class_names
from compare.model.trace import Model, Run
from compare.result.groups import (
    ClassTests,
    Confirmation,
    Difference,
    ExampleAccuracies,
    Group,
    GroupComparison,
    Numbers,
    Permutation,
)
from compare.result.models import DatasetResult, ModelResult
from compare.stats.dealing import Splits, model_splits
from compare.stats.welch import moments, trusts_welch, welch

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
PERMUTATIONS = 1999
Value = TypeVar("Value")


class Seen(NamedTuple):
    """The examples, and which of them each model predicts correctly.

    Args:
        right_a: whether each model of a is right on each example, shape (seeds_a, n).
        right_b: whether each model of b is right on each example, shape (seeds_b, n).
        labels: class numbers, shape (n,).
        indices: positions in the dataset, ascending, shape (n,).
        classes: class names.
        sources: file or row of each example; empty if the batches do not know them.
    """

    right_a: Bools
    right_b: Bools
    labels: Ints
    indices: Ints
    classes: tuple[str, ...]
    sources: tuple[Source, ...]


def compare_groups(
    models_a: Sequence[Model],
    models_b: Sequence[Model],
    batches: Iterable[Any],
    *,
    superclasses: Mapping[str, str] | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
    model_classes: Sequence[Sequence[str] | None] | None = None,
) -> GroupComparison:
    """Test whether two architectures get different examples right, beyond the variation between seeds.

    The unit of all tests is the model, not the example. The first half of the seeds of each group selects the largest
    differences, and the second half confirms them. Everything else uses all seeds.

    Args:
        models_a: at least two modules that take one tensor and return logits: seeds of one architecture.
        models_b: at least two seeds of another architecture, preferably as many.
        batches: an iterable of (inputs, labels) or (inputs, labels, indices), as in `compare_models`; read once.
        superclasses: superclass of each class, by name; None skips the tests of superclasses.
        permutations: maximum number of random assignments of models to two groups, at least 19. If there are fewer
            assignments, all are used.
        seed: random seed of the assignments.
        class_names: names of the data's classes; if None, `batches.classes`, or else class numbers.
        model_classes: for each model, a's first, the names of the classes of its logits, as in `compare_models`.

    Returns:
        Differences in accuracy: overall, per class, and per example.

    Raises:
        CompareError: a group has fewer than two models, a model occurs twice, the classes of a model are not the
            data's, the examples have no labels, a class has no superclass, or the batches are invalid.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327, section 7 and appendix F.

    Example:
        >>> import torch
        >>> from compare import compare_groups
        >>> _ = torch.manual_seed(0)
        >>> small = [torch.nn.Linear(8, 3) for _ in range(2)]
        >>> large = [torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Linear(16, 3)) for _ in range(2)]
        >>> batches = [(torch.randn(32, 8), torch.randint(3, (32,)))]
        >>> result = compare_groups(small, large, batches)
        >>> len(result.a.models), result.permutation.splits, result.permutation.exact
        (2, 3, True)
    """
    models, seeds = [*models_a, *models_b], (len(models_a), len(models_b))
    if min(seeds) < 2 or len(set(map(id, models))) < len(models):
        raise CompareError(
            f"expected at least two different models in each group, got {seeds[0]} and {seeds[1]}, or one of them "
            "twice."
        )
    splits = model_splits(*seeds, permutations, seed)
    answers = Answers(*find_class_names(models, batches, class_names, model_classes))
    runs = predict(models, batches, answers)
    sides = [f"{group}{number + 1}" for group, count in zip("ab", seeds, strict=True) for number in range(count)]
    _check_classes(answers, sides)
    seen = _seen(answers, *seeds, batches)
    cautions = tuple(find_cautions(models, answers, sides))
    described = [_describe(run, right) for run, right in zip(runs, np.concatenate(seen[:2]), strict=True)]
    return GroupComparison(
        a=_group(described[: seeds[0]]),
        b=_group(described[seeds[0] :]),
        dataset=DatasetResult(None, None, len(seen.labels), seen.classes, None),
        accuracy=_accuracy(seen),
        permutation=splits.describe(),
        spread=spread(seen.right_a, seen.right_b, splits),
        classes=class_tests(seen.right_a, seen.right_b, seen.labels, seen.classes, splits),
        superclasses=_superclass_tests(seen, superclasses, splits),
        confirmed_classes=_confirmed_classes(seen),
        confirmed_examples=_confirmed_examples(seen),
        examples=_examples(seen),
        settings={
            "permutations": permutations,
            "seed": seed,
            "selecting_a": selecting(seeds[0]),
            "selecting_b": selecting(seeds[1]),
        },
        versions=versions(),
        notes=(*cautions, *_notes(seeds, splits.describe()), *answer_notes(answers, sides)),
        cautions=cautions,
    )


def _check_classes(answers: Answers, sides: Sequence[str]) -> None:
    for i, side in enumerate(sides):
        if not answers.predicts_data_classes(i):
            raise CompareError(
                f"expected models of the data's classes, {answers.data_classes()}, got {side} with "
                f"{answers.classes_of(i)}; leave it out, or use data with its classes."
            )


def _seen(answers: Answers, seeds_a: int, seeds_b: int, batches: Iterable[Any]) -> Seen:
    labels, indices = answers.labels.numpy(), answers.indices.numpy()
    order = np.argsort(indices)
    right, find = right_of(answers, seeds_a + seeds_b), find_source(batches)
    sources = () if find is None else tuple(map(find, indices[order].tolist()))
    return Seen(right[:seeds_a], right[seeds_a:], labels[order], indices[order], answers.class_names, sources)


def _describe(run: Run, right: Bools) -> ModelResult:
    kind = run.kind
    return ModelResult(None, kind, None, None, kind, run.parameters, float(right.mean()), layers=(), pc1_fraction=())


def _group(models: Sequence[ModelResult]) -> Group:
    of_seeds = moments([model.accuracy or 0.0 for model in models])
    return Group(tuple(models), float(of_seeds.mean), sqrt(of_seeds.variance / of_seeds.seeds))


def _accuracy(seen: Seen) -> Difference:
    tested = welch(moments(seen.right_a.sum(1)), moments(seen.right_b.sum(1)), 1)
    examples = len(seen.labels)
    difference, low, high = (float(value / examples) for value in tested[:3])
    return Difference(difference, low, high, float(tested.p_value))


def _superclass_tests(seen: Seen, superclasses: Mapping[str, str] | None, splits: Splits) -> ClassTests | None:
    if superclasses is None:
        return None
    if missing := [name for name in seen.classes if name not in superclasses]:
        raise CompareError(f"expected a superclass for every class, got none for {missing[0]!r}.")
    names = tuple(dict.fromkeys(superclasses[name] for name in seen.classes))
    of_class = np.array([names.index(superclasses[name]) for name in seen.classes])
    return class_tests(seen.right_a, seen.right_b, of_class[seen.labels], names, splits)


def _confirmed_classes(seen: Seen) -> Confirmation:
    sizes = np.bincount(seen.labels, minlength=len(seen.classes))
    numbers = np.flatnonzero(sizes)
    a, b = (count_right(right, seen.labels, len(sizes))[:, numbers] / sizes[numbers] for right in seen[:2])
    return confirmation(a, b, numbers, numbers, sizes[numbers])


def _confirmed_examples(seen: Seen) -> Confirmation:
    a, b = (right.astype(np.float64) for right in seen[:2])
    result = confirmation(a, b, seen.indices, seen.labels, np.ones_like(seen.labels))
    if not seen.sources:
        return result
    sources = dict(zip(seen.indices.tolist(), seen.sources, strict=True))
    selected = (replace(example, **sources[example.item]._asdict()) for example in result.selected)
    return replace(result, selected=tuple(selected))


def _examples(seen: Seen) -> ExampleAccuracies:
    return ExampleAccuracies(
        index=tuple(seen.indices.tolist()),
        label=tuple(seen.labels.tolist()),
        accuracy_a=_numbers(seen.right_a),
        accuracy_b=_numbers(seen.right_b),
        halves_a=_halves(seen.right_a),
        halves_b=_halves(seen.right_b),
        path=_known(tuple(source.path for source in seen.sources)),
        row=_known(tuple(source.row for source in seen.sources)),
    )


def _known(values: tuple[Value | None, ...]) -> tuple[Value, ...]:
    """The values; none of them if one is unknown."""
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else ()


def _halves(right: Bools) -> tuple[Numbers, Numbers]:
    first = selecting(len(right))
    return _numbers(right[:first]), _numbers(right[first:])


def _numbers(right: Bools) -> Numbers:
    return tuple(right.mean(0).tolist())


def _notes(seeds: tuple[int, int], permutation: Permutation) -> Iterator[str]:
    small, large = sorted(seeds)
    if permutation.smallest_p > 0.05:
        yield (
            f"{seeds[0]} and {seeds[1]} models have only {permutation.splits} assignments to two groups: p-values of "
            f"spread and counts cannot be below {permutation.smallest_p:.2f}; use at least 4 seeds of each."
        )
    if not trusts_welch(small, large):
        yield (
            f"groups of {seeds[0]} and {seeds[1]} seeds are tested with the degrees of freedom of the smaller one, "
            "which has less power; use the same number of seeds of each."
        )
    if small < 4:
        yield (
            f"with {small} seeds in a group, the largest differences are confirmed by {small - selecting(small)}"
            f"{', without a test' if small < 3 else ''}; use at least 4 seeds."
        )
