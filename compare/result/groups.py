"""Result of comparing two groups of seeds. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, JsonResult, Settings
from compare.result.checks import check_indices, check_length
from compare.result.models import DatasetResult, Models

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Group:
    """Several seeds of one architecture.

    Args:
        models: one model per seed. Their layers are not listed, because only predictions are compared.
        accuracy: mean accuracy over the seeds, in [0, 1].
        standard_error: standard error of the mean accuracy, from the variance between seeds.
    """

    models: Models
    accuracy: float
    standard_error: float


@dataclass(frozen=True)
class Difference:
    """Difference in mean accuracy between the two groups, with the seed as the unit.

    Args:
        difference: mean accuracy of a minus mean accuracy of b, in [-1, 1].
        ci_low: lower end of the 95 % interval of the difference.
        ci_high: upper end of the 95 % interval of the difference.
        p_value: Welch's test, two-sided; see `compare.stats.welch.welch`.
    """

    difference: float
    ci_low: float
    ci_high: float
    p_value: float


@dataclass(frozen=True)
class Permutation:
    """Permutations used by the tests: reassignments of the models to two groups of the same sizes.

    Args:
        splits: number of assignments, including the observed one.
        exact: whether all possible assignments were used; otherwise they were drawn at random.
        smallest_p: smallest p-value that these assignments can give, 1 / `splits`.
    """

    splits: int
    exact: bool
    smallest_p: float


@dataclass(frozen=True)
class Spread:
    """Whether a and b get different examples right, beyond a uniform difference in skill.

    The accuracy of an example is the fraction of a group's models that predict it correctly. The test uses
    `beyond_skill`. Files written before `beyond_skill` existed have None there, and their `null_mean`, `null_95`, and
    `p_value` belong to `mean_square`, which also grows if one group is merely more accurate.

    Args:
        mean_square: mean squared difference of accuracies in a and b, with noise between seeds and difference in skill.
        null_mean: mean of `beyond_skill` over permutations of the models, with the same noise between seeds.
        null_95: 95th percentile of `beyond_skill` over permutations of the models.
        p_value: share of permutations whose `beyond_skill` is at least the observed one.
        within_a: expected `mean_square` of two groups of these sizes that both have a's architecture.
        within_b: expected `mean_square` of two groups of these sizes that both have b's architecture.
        true_mean_square: unbiased estimate of `mean_square` for infinitely many seeds; may be slightly negative.
        beyond_skill: `mean_square` without a uniform difference in skill; see `compare.groups.spread.within_totals`.
    """

    mean_square: float
    null_mean: float
    null_95: float
    p_value: float
    within_a: float
    within_b: float
    true_mean_square: float
    beyond_skill: float | None = None


@dataclass(frozen=True)
class GroupRow:
    """Accuracy of both groups on one class or superclass, and a test of their difference; None without examples.

    Args:
        name: class name.
        examples: number of examples with this label.
        accuracy_a: mean accuracy over the seeds of a, in [0, 1].
        accuracy_b: mean accuracy over the seeds of b, in [0, 1].
        difference: accuracy of a minus accuracy of b, in [-1, 1].
        ci_low: lower end of the 95 % interval of the difference (Welch).
        ci_high: upper end of the 95 % interval of the difference.
        p_value: Welch's test over seeds, two-sided.
        p_holm: p-value with Holm's correction over the classes, which bounds the family-wise error rate.
        p_bh: p-value with Benjamini and Hochberg's correction, which bounds the false discovery rate.
    """

    name: str
    examples: int
    accuracy_a: float | None
    accuracy_b: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_holm: float | None
    p_bh: float | None


@dataclass(frozen=True)
class FoundCount:
    """Number of classes with an uncorrected p < 0.05, compared with chance.

    Args:
        found: number of classes with p < 0.05.
        tested: number of classes with examples.
        null_mean: mean of `found` over permutations of the models.
        null_95: 95th percentile of `found` over permutations of the models.
        p_value: fraction of permutations whose `found` is at least as large as the observed one.
    """

    found: int
    tested: int
    null_mean: float
    null_95: float
    p_value: float


@dataclass(frozen=True)
class ClassShare:
    """How much of the accuracy differences between examples their class explains.

    Args:
        total: variance between examples of the true accuracy difference, without seed noise; may be slightly negative.
        between: part of `total` that lies between classes.
        share: `between` / `total`; in [0, 1] up to the noise of few seeds. None if `total` is not positive.
        ci_low: lower end of the 95 % interval of `share` (jackknife); None if a group has fewer than 3 seeds.
        ci_high: upper end of the 95 % interval of `share`; None if a group has fewer than 3 seeds.
        uncorrected: the share without noise correction; None if no accuracies differ.
        logistic: the paper's v^2, from logistic models and without noise correction; None if no accuracies differ.
        chance: expected share if the classes were meaningless: (classes - 1) / (examples - 1).
    """

    total: float
    between: float
    share: float | None
    ci_low: float | None
    ci_high: float | None
    uncorrected: float | None
    logistic: float | None
    chance: float


@dataclass(frozen=True)
class ClassTests:
    """Tests of all classes, or of all superclasses.

    Args:
        rows: one row per class, in the order of the class names.
        count: number of classes that differ, compared with chance.
        share: how much of the differences between examples the classes explain.
    """

    rows: tuple[GroupRow, ...]
    count: FoundCount
    share: ClassShare


@dataclass(frozen=True)
class Selected:
    """A class or example selected with one half of the seeds and measured with the other half.

    Args:
        item: class number, or position of the example in the dataset.
        label: number of the item's class.
        selecting: accuracy difference (a minus b) of the seeds that selected the item.
        accuracy_a: accuracy of a's other seeds, in [0, 1].
        accuracy_b: accuracy of b's other seeds, in [0, 1].
        difference: `accuracy_a` minus `accuracy_b`, free of selection bias.
        path: file of the example, relative to the folder of the dataset; None for classes, and if it is unknown.
        row: row of the example in the split; None for classes, and if it is unknown.
    """

    item: int
    label: int
    selecting: float
    accuracy_a: float
    accuracy_b: float
    difference: float
    path: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class Confirmation:
    """How much of the largest differences remains when other seeds measure them.

    The interval and the p-value are None if a group has only one confirming seed.

    Args:
        selected: items with the largest differences, largest first.
        selecting: mean absolute difference, measured with the selecting seeds.
        confirming: mean difference in the selected direction, measured with the other seeds.
        ci_low: lower end of the 95 % interval of `confirming`.
        ci_high: upper end of the 95 % interval of `confirming`.
        p_value: Welch's test over the confirming seeds, two-sided.
        retained: `confirming` / `selecting`; None if `selecting` is 0.
    """

    selected: tuple[Selected, ...]
    selecting: float
    confirming: float
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    retained: float | None


@dataclass(frozen=True)
class ExampleAccuracies:
    """Accuracy of every example over the seeds. Each field has one entry per example, ordered by `index`.

    Args:
        index: positions in the dataset, ascending.
        label: class numbers.
        accuracy_a: fraction of a's seeds that predict the example correctly.
        accuracy_b: fraction of b's seeds that predict the example correctly.
        halves_a: the same fractions for a's selecting seeds and for a's confirming seeds.
        halves_b: the same fractions for b's selecting seeds and for b's confirming seeds.
        path: files of the examples, relative to the folder of the dataset; empty if they are unknown.
        row: rows of the examples in the split; empty if they are unknown.
    """

    index: tuple[int, ...]
    label: tuple[int, ...]
    accuracy_a: Numbers
    accuracy_b: Numbers
    halves_a: tuple[Numbers, Numbers]
    halves_b: tuple[Numbers, Numbers]
    path: tuple[str, ...] = ()
    row: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class GroupComparison(JsonResult):
    """Comparison of two architectures, over several seeds of each.

    Args:
        format_version: version of the JSON format.
        kind: always `groups`.
        a: the first group.
        b: the second group.
        dataset: the examples that all models saw.
        accuracy: difference in overall accuracy.
        permutation: permutations behind the p-values of `spread` and of the class counts.
        spread: whether the groups get different examples right, beyond a uniform difference in skill.
        classes: tests of all classes.
        superclasses: tests of all superclasses; None if none were given.
        confirmed_classes: largest class differences, confirmed with other seeds.
        confirmed_examples: largest example differences, confirmed with other seeds.
        examples: accuracy of every example.
        settings: all settings needed to reproduce the result.
        versions: versions of this package, Python, and the libraries it uses.
        notes: warnings, such as too few seeds for a test.
        cautions: the notes that a reader must know before the answer, such as that a model is near chance.

    Example:
        >>> import torch
        >>> import compare
        >>> models = [torch.nn.Linear(8, 3) for _ in range(4)]
        >>> batches = [(torch.randn(32, 8), torch.randint(3, (32,)))]
        >>> result = compare.compare_groups(models[:2], models[2:], batches, class_names=["cat", "dog", "frog"])
        >>> [row.name for row in result.classes.rows], len(result.examples.accuracy_a)
        (['cat', 'dog', 'frog'], 32)
    """

    format_version: int = FORMAT_VERSION
    kind: Literal["groups"] = "groups"
    a: Group
    b: Group
    dataset: DatasetResult
    accuracy: Difference
    permutation: Permutation
    spread: Spread
    classes: ClassTests
    superclasses: ClassTests | None
    confirmed_classes: Confirmation
    confirmed_examples: Confirmation
    examples: ExampleAccuracies
    settings: Settings
    versions: dict[str, str]
    notes: tuple[str, ...]
    cautions: tuple[str, ...] = ()

    def _problems(self) -> Iterator[str]:
        examples, chosen = self.examples, (*self.confirmed_classes.selected, *self.confirmed_examples.selected)
        yield from check_length("classes.rows", self.classes.rows, len(self.dataset.classes))
        yield from check_indices("a label", [*examples.label, *(i.label for i in chosen)], len(self.dataset.classes))
        accuracies = (examples.accuracy_a, examples.accuracy_b, *examples.halves_a, *examples.halves_b)
        for values in (examples.label, *accuracies, *filter(None, (examples.path, examples.row))):
            yield from check_length("a list of examples", values, len(examples.index))
