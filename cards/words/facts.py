"""Facts about comparisons and models, in the words that the terminal and the pages share."""

from collections.abc import Iterator, Sequence
from statistics import fmean, median

from cards.words.legible import AB, Names, chance, counted, number, percent
from compare.result.base import Estimate, Matrix
from compare.result.comparison import LARGE_CHANGE, CKAResult, CKAWithoutDominant, Comparison
from compare.result.disagreement import Calibration, Disagreement, Example
from compare.result.groups import Selected
from compare.result.inside import BlockScore, DominantExample, DominantExamples, InsidePair
from compare.result.inspection import Inspection, ProbeResult
from compare.result.models import DatasetResult

# What each measure of similarity means.
MEANINGS = {
    "CKA": "1 for representations that are equal up to rotation and scale, 0 on average for unrelated ones.",
    "cosine": "CKA after each image's centred features are scaled to length 1, so that all images weigh the same.",
    "knn": "Share of each image's 10 nearest neighbours in its minibatch that both layers agree on, from 0 to 1.",
    "rsa": "Spearman correlation between the images' centred inner products, from -1 to 1, drawn from 0.",
    "procrustes": "How well a rotation maps one layer onto the other, from 0 to 1; high for any layers in small "
    "minibatches.",
    "PC1 alignment": "Squared cosine between the first components of two layers: 1 if the same images dominate both.",
    "CKA above chance": "CKA, without the cells of a with b that unrelated models could reach too.",
    "CKA without components": "CKA after each layer has lost the components that carry block structure.",
    "CKA without images": "CKA on the other images.",
    "CKA without dominant images": "CKA without the 5 % of the images of every minibatch that dominate it.",
}
DELETION_CAPTION = "Blocks are removed from the end of a stage. Skip connections stay, and nothing is retrained."
# How features are pooled, by the setting `pool`.
POOLED = {
    "mean": ", of the means of features over positions",
    "cls": ", of the features of the class token (means over positions where there is none)",
}


# Why numbers about predictions are missing.
DIFFERENT_CLASSES = "a model has no classifier, or the models predict different classes"
OTHER_CLASSES = "the images have other classes"
NO_LABELS = "the images have no labels"


def images_fact(dataset: DatasetResult) -> str:
    """Number and origin of the images, such as `360 digits test images`."""
    return " ".join(part for part in (f"{dataset.examples:,}", dataset.name, dataset.split, "images") if part)


def class_name(classes: Sequence[str], label: int | None) -> str:
    """Name of a class, or a dash without a label."""
    return "-" if label is None else classes[label]


def predicted_names(disagreement: Disagreement, classes: Sequence[str]) -> Sequence[str]:
    """Names of the classes that two models predict; `classes` are those of the dataset."""
    return disagreement.predicted_classes or classes


def true_class(disagreement: Disagreement, example: Example) -> int | None:
    """The prediction that is right for an example; None if it is unknown."""
    return None if disagreement.predicted_classes else example.label


def source_cells(example: Example | DominantExample | Selected) -> tuple[str, str]:
    """File and row of an image, each empty if there is none."""
    return example.path or "", "" if example.row is None else str(example.row)


def source_fact(example: Example | DominantExample | Selected) -> str | None:
    """Where an image comes from, such as `cat/1.png` or `row 17`; None if it is unknown."""
    return example.path or (None if example.row is None else f"row {example.row}")


def most_significant_first(p_value: float | None, difference: float | None) -> tuple[float, float]:
    """Sort key of classes: smallest adjusted p-value first, then largest difference; classes without images last."""
    return (2.0, 0.0) if p_value is None or difference is None else (p_value, -abs(difference))


def disagreement_facts(disagreement: Disagreement, names: Names = AB) -> Iterator[tuple[str, str]]:
    """Names and values of what describes the predictions of two models, with 95 % intervals.

    Args:
        disagreement: the predictions of the models.
        names: what the models are called.
    """
    a, b = names
    agreement = _share(disagreement.agreement, disagreement.agreement_interval)
    yield "same prediction", f"{agreement}; churn {number(disagreement.churn, '.2%')}"
    if disagreement.accuracy_a is not None and disagreement.accuracy_b is not None:
        yield f"accuracy of {a}", _share(disagreement.accuracy_a, disagreement.accuracy_a_interval)
        yield f"accuracy of {b}", _share(disagreement.accuracy_b, disagreement.accuracy_b_interval)
        yield f"{a} - {b}", difference_fact(disagreement)
        yield "one right", f"{disagreement.only_a_right} only {a}, {disagreement.only_b_right} only {b}"
        yield "both wrong", _both_wrong(disagreement)
        yield "error consistency", _kappa(disagreement.error_consistency)
    if disagreement.divergence is not None:
        yield "divergence", f"{disagreement.divergence:.3f} bits between their probabilities (Jensen-Shannon)"
    if disagreement.calibration_a and disagreement.calibration_b:
        yield "calibration error", calibration_fact(disagreement.calibration_a, disagreement.calibration_b, names)
    if disagreement.together is not None:
        together = disagreement.together
        yield "ensemble accuracy", f"{_percents(together.ensemble)}, averaging their probabilities"
        yield "ensemble gain", f"{_points(together.ensemble_gain)} over the better model"
        yield "oracle accuracy", f"{_percents(together.oracle)}, picking the best model per image"


def difference_fact(disagreement: Disagreement) -> str:
    """Accuracy of a minus that of b, with its interval and its p-value."""
    return f"{_points(disagreement.difference)}, {chance(disagreement.p_value)}"


def calibration_fact(a: Calibration, b: Calibration, names: Names = AB) -> str:
    """Calibration errors of two models, and those of perfectly calibrated models with the same confidences.

    Args:
        a: calibration of the first model.
        b: calibration of the second model.
        names: what the models are called.
    """
    text = f"{names.a} {a.error:.3f}, {names.b} {b.error:.3f}"
    if a.calibrated_error is None or b.calibrated_error is None:
        return text
    return (
        f"{text}; perfectly calibrated models with the same confidences: {names.a} {a.calibrated_error:.3f} (95 % "
        f"below {number(a.calibrated_95, '.3f')}), {names.b} {b.calibrated_error:.3f} (95 % below "
        f"{number(b.calibrated_95, '.3f')})"
    )


def _both_wrong(disagreement: Disagreement) -> str:
    alike, differently = disagreement.both_wrong_alike, disagreement.both_wrong_differently
    return f"{disagreement.both_wrong}: {alike} with the same class, {differently} with different classes"


def _share(value: float, ends: tuple[float, float] | None) -> str:
    return f"{value:.2%}" if ends is None else f"{value:.2%} ({ends[0]:.1%} to {ends[1]:.1%})"


def _percents(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return _share(estimate.value, (estimate.low, estimate.high))


def _points(estimate: Estimate) -> str:
    """A difference in percentage points with its interval, such as `+0.3 points (-1.3 to +1.9)`."""
    value, low, high = (percent(part, "+.1f") for part in estimate)
    return f"{value} points ({low} to {high})"


def _kappa(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    interval = f" ({estimate.low:.2f} to {number(estimate.high, '.2f')})" if estimate.low is not None else ""
    return f"{estimate.value:z.2f}{interval}; 0 is chance, 1 means the same errors"


def estimator_fact(comparison: Comparison) -> str:
    """How CKA was estimated, and how large its standard errors are."""
    cka, settings = comparison.cka, comparison.settings
    cells = [cell for row in cka.ab for cell in row if cell is not None]
    errors = [error for row in cka.standard_error_ab for error in row if error is not None]
    unknown = f", unknown in {len(cells) - len(errors)} of {len(cells)} cells" if len(errors) < len(cells) else ""
    precision = (
        f"Standard error of a cell of a with b: {median(errors):.3f} in the median, {max(errors):.3f} at most{unknown}."
        " It covers other images, not other trainings."
        if errors
        else "Standard errors are unknown."
    )
    pooled = POOLED.get(str(settings.get("pool")), "")
    return (
        f"CKA: {settings.get('estimator', 'estimated')} from {settings.get('minibatches', 'some')} minibatches of up "
        f"to {cka.batch_size} images, in {settings.get('precision', 'single precision')}{pooled}. {precision}"
    )


def score_fact(score: BlockScore) -> str:
    """A block structure score with its range over thresholds, such as `0.14 (0.10 to 0.17 for ...)`."""
    if not score.curve:
        return f"{score.score:.2f}"
    scores = [at.score for at in score.curve]
    low, high = score.curve[0].threshold, score.curve[-1].threshold
    return f"{score.score:.2f} ({min(scores):.2f} to {max(scores):.2f} for thresholds {low:.2f} to {high:.2f})"


def blocks_fact(score: BlockScore, count: int) -> str:
    """A number of block structures with its range over thresholds, such as `3 (2 to 5) blocks`.

    Args:
        score: the block structure score of the same model, with its curve.
        count: the number of block structures.
    """
    counts = [at.blocks for at in score.curve]
    if set(counts) - {count}:
        return f"{count} ({min(counts)} to {max(counts)}) blocks"
    return f"{counted(count, 'block')}{' (at every threshold)' if counts else ''}"


def score_interval_fact(score: BlockScore) -> str:
    """The 95 % interval of a block structure score over images, after a semicolon; empty without one."""
    if score.low is None or score.high is None:
        return ""
    return f"; its 95 % interval over images is {score.low:.2f} to {score.high:.2f}"


def block_scores_facts(inside: InsidePair, names: Names = AB) -> Iterator[str]:
    """How much block structure each model has, and whether the same images dominate it in both.

    Args:
        inside: the closer look at both models.
        names: what the models are called.
    """
    for label, model in ((names.a, inside.a), (names.b, inside.b)):
        score, blocks = model.score, blocks_fact(model.score, len(model.blocks))
        yield f"Block structure score of {label}: {score_fact(score)}, {blocks}{score_interval_fact(score)}."
    for shared in inside.shared_examples:
        a, b = inside.a.blocks[shared.a], inside.b.blocks[shared.b]
        yield (
            f"Layers {a.start} to {a.stop - 1} of {names.a} and {b.start} to {b.stop - 1} of {names.b} share "
            f"{shared.overlap:.0%} of their dominant images (by chance {shared.expected:.0%}; "
            f"{chance(shared.p_value)})."
        )


def dominant_fact(dominant: DominantExamples) -> str:
    """How strongly a few images dominate the first component of a block."""
    strongest = (
        "" if dominant.to_median is None else f", the strongest {dominant.to_median:.0f} times that of the median image"
    )
    return (
        f"The top {dominant.count} hold {dominant.pc1_share:.0%} of the squared scores on the first component and "
        f"{dominant.norm_share:.0%} of the squared norms{strongest}. Two layers of the block have "
        f"{dominant.layer_overlap:.0%} of them in common."
    )


def rests_on_fact(cka: CKAResult, names: Names = AB) -> str | None:
    """How much CKA between two models changes without the images that dominate it; None if no cell changes much.

    Args:
        cka: CKA between the models.
        names: what the models are called.
    """
    without = cka.rests_on
    if without is None:
        return None
    share = without.changed_cells / without.compared_cells
    where = f"{share:.0%} of the" if share >= 0.01 else f"{without.changed_cells:,} of {without.compared_cells:,}"
    before, after = (_mean_of(cells, without.changed) for cells in (cka.ab, without.ab))
    few = f"{without.count} of {counted(without.total, 'image')}"
    return (
        f"In {where} cells, linear CKA of {names.a} with {names.b} rests on {few}: leaving "
        f"{'it' if without.count == 1 else 'them'} out changes it by more than {LARGE_CHANGE}, on average from "
        f"{before:.2f} to {after:.2f}."
    )


def _mean_of(cells: Matrix, chosen: Sequence[Sequence[bool | None]]) -> float:
    """Mean of the chosen cells."""
    rows = zip(cells, chosen, strict=True)
    return fmean(cell for row in rows for cell, is_chosen in zip(*row, strict=True) if is_chosen and cell is not None)


def dots_fact(without: CKAWithoutDominant) -> str:
    """What the dots in the map of CKA between two models mean."""
    return f"Dots mark cells that change by more than {LARGE_CHANGE} without {counted(without.count, 'image')}."


def without_dominant_fact(inspection: Inspection) -> str | None:
    """What the block structure score is without the dominant images, or None if it was not measured."""
    left = inspection.without_dominant
    if left is None:
        return None
    return (
        f"Without the images that dominate its blocks ({counted(left.examples, 'image')}, {left.share:.0%}), the block "
        f"structure score is {left.score:.2f} instead of {inspection.inside.score.score:.2f}."
    )


def probes_caption(probes: ProbeResult) -> str:
    """How the probes were trained, and the accuracy of the model itself."""
    accuracy = number(probes.model_accuracy, ".1%")
    return f"Softmax regression on {probes.train_examples:,} training images. Accuracy of the model itself: {accuracy}."
