"""The result of comparing two groups of seeds: plain frozen values, written to JSON and read back. Needs no torch."""

from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, JsonResult, Settings
from compare.result.models import DatasetResult, ModelResult

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Group:
    """The seeds of one architecture.

    Args:
        models: one per seed; without layers, since only their predictions count here.
        accuracy: mean over the seeds, in [0, 1].
        standard_error: of that mean, from the spread between seeds.
    """

    models: tuple[ModelResult, ...]
    accuracy: float
    standard_error: float


@dataclass(frozen=True)
class Difference:
    """Accuracy of a minus accuracy of b, with seeds as the unit.

    Args:
        difference: in [-1, 1].
        ci_low: lower end of its 95 % interval.
        ci_high: upper end.
        p_value: Welch's test, two-sided; see `compare.stats.welch.welch`.
    """

    difference: float
    ci_low: float
    ci_high: float
    p_value: float


@dataclass(frozen=True)
class Permutation:
    """How the models were dealt anew to two groups of the same sizes.

    Args:
        splits: how many ways were looked at, the one that is true among them.
        exact: whether these are all ways that there are, or drawn at random.
        smallest_p: no p-value from them can be smaller.
    """

    splits: int
    exact: bool
    smallest_p: float


@dataclass(frozen=True)
class Spread:
    """Whether a and b get different examples right, more than two groups of one architecture would.

    Args:
        mean_square: mean over the examples of the squared difference of their accuracies over the seeds.
        null_mean: mean of the same where models are dealt to the groups anew.
        null_95: 95th percentile of the same.
        p_value: share of the splits with as large a spread or larger.
        within_a: what two groups of these sizes, both of a's architecture, are expected to show.
        within_b: what two of b's are.
        true_mean_square: unbiased estimate for infinitely many seeds; may be slightly negative.
    """

    mean_square: float
    null_mean: float
    null_95: float
    p_value: float
    within_a: float
    within_b: float
    true_mean_square: float


@dataclass(frozen=True)
class GroupRow:
    """One class or superclass: its accuracy over the seeds of each group.

    Args:
        name: name of the class.
        examples: how many examples it has.
        accuracy_a: mean over the seeds of a, in [0, 1]; None without examples, like every number below.
        accuracy_b: the same of b.
        difference: accuracy of a minus accuracy of b.
        ci_low: lower end of the 95 % interval of the difference.
        ci_high: upper end.
        p_value: Welch's test over seeds, two-sided.
        p_holm: the same after Holm's correction over the classes: no false finding among all, but for 5 %.
        p_bh: the same after Benjamini and Hochberg's: among findings below 0.05, at most 5 % are expected to be false.
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
    """How many classes have p < 0.05 before any correction, and how many would by chance.

    Args:
        found: how many.
        tested: of so many with examples.
        null_mean: mean number where models are dealt to the groups anew.
        null_95: 95th percentile of it.
        p_value: share of the splits with as many or more.
    """

    found: int
    tested: int
    null_mean: float
    null_95: float
    p_value: float


@dataclass(frozen=True)
class ClassShare:
    """How much of the differences between examples is a matter of their class; see `compare.groups.class_share`.

    Args:
        total: variance between examples of the difference of a's and b's true accuracy; may be slightly negative.
        between: the part of it between classes.
        share: between / total, in [0, 1] but for the noise of few seeds; None if nothing is left without that noise.
        ci_low: lower end of its 95 % interval; None, like the other, with fewer than 3 seeds in a group.
        ci_high: upper end.
        uncorrected: the same share with that noise; None if nothing differs.
        logistic: the paper's v^2, whose effects are on logits, with that noise; None if nothing differs.
        chance: the share that is expected if classes mean nothing: (classes - 1) / (examples - 1).
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
    """All classes, or all superclasses.

    Args:
        rows: one each, in their order.
        count: how many differ, beside what chance gives.
        share: how much of the differences between examples they explain.
    """

    rows: tuple[GroupRow, ...]
    count: FoundCount
    share: ClassShare


@dataclass(frozen=True)
class Selected:
    """A class or example that was selected with some seeds and looked at again with the others.

    Args:
        item: number of the class, or index of the example in the data set.
        label: number of its class.
        selecting: difference that it was selected by, a minus b.
        accuracy_a: accuracy of a's other seeds, in [0, 1].
        accuracy_b: the same of b.
        difference: accuracy_a minus accuracy_b, free of selection bias.
    """

    item: int
    label: int
    selecting: float
    accuracy_a: float
    accuracy_b: float
    difference: float


@dataclass(frozen=True)
class Confirmation:
    """What is left of the largest differences with other seeds.

    Args:
        selected: the largest differences, largest first.
        selecting: mean size of the differences, with the seeds that selected them.
        confirming: mean difference with the other seeds, in the direction in which each was selected.
        ci_low: lower end of its 95 % interval; None, like the other end and the p-value, with a single other seed.
        ci_high: upper end.
        p_value: Welch's test over the other seeds, two-sided.
        retained: confirming / selecting; None if nothing differs.
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
    """Accuracy of every example over the seeds: one number per example, in the order of their indices.

    Args:
        index: where it stands in the data set.
        label: number of its class.
        accuracy_a: share of the seeds of a that get it right.
        accuracy_b: the same of b.
        halves_a: the same of the seeds of a that select, and of those that confirm.
        halves_b: the same of b.
    """

    index: tuple[int, ...]
    label: tuple[int, ...]
    accuracy_a: Numbers
    accuracy_b: Numbers
    halves_a: tuple[Numbers, Numbers]
    halves_b: tuple[Numbers, Numbers]


@dataclass(frozen=True, kw_only=True)
class GroupComparison(JsonResult):
    """What two architectures get right, over several seeds of each.

    Args:
        format_version: version of this layout.
        kind: distinguishes this JSON from that of the other results.
        a: the first group.
        b: the second.
        dataset: the examples that all saw.
        accuracy: of all examples.
        permutation: what p-values and null distributions of spread and counts come from.
        spread: whether they get different examples right.
        classes: where they differ, class by class.
        superclasses: the same for groups of classes, if they were given.
        confirmed_classes: the largest differences of classes, with other seeds.
        confirmed_examples: the largest differences of examples, with other seeds.
        examples: accuracy of every example.
        settings: how it was computed, enough to do it again.
        versions: of the program and the libraries.
        notes: what a reader must know.
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
