"""The tiles at the top of the pages of several models, groups, an inspection, and a study."""

from collections.abc import Sequence

from cards.page.page import KeyNumber, Tile
from cards.page.tiles import structure_number
from cards.words.facts import images_fact
from cards.words.group_facts import difference_fact, differs
from cards.words.legible import chance, interval, listed, percent
from cards.words.matrix_verdict import learned
from compare.result.groups import Confirmation, Group, GroupComparison
from compare.result.inspection import Inspection
from compare.result.matrix import ModelMatrix, PairResult
from compare.result.study import Reproduction, Verdict
from compare.stats.interval import LEVEL

NO_LAYERS = "no two models have layers that can be compared."
NO_ACCURACY = "the images have no labels, or the classes of the models are not those of the images."


def matrix_tiles(result: ModelMatrix) -> tuple[Tile, ...]:
    """Most and least similar pair, similarity beside untrained copies, same predictions, and accuracies.

    Args:
        result: the pairs of several models, with printable names.
    """
    similarity = Tile("Similarity inside", _similarities(result), "CKA with the most similar layer, mean over layers.")
    untrained = Tile("Beside untrained copies", (_beside_untrained(result),))
    return similarity, untrained, _predictions(result), _accuracies(result)


def _similarities(result: ModelMatrix) -> tuple[KeyNumber, ...]:
    pairs = [pair for pair in result.pairs if pair.best_match_cka is not None]
    if not pairs:
        return (KeyNumber(None, NO_LAYERS),)
    ordered = sorted(pairs, key=lambda pair: pair.best_match_cka or 0.0, reverse=True)
    if len(ordered) == 1:
        return (_similarity("the two models", ordered[0]),)
    return _similarity("most similar", ordered[0]), _similarity("least similar", ordered[-1])


def _similarity(which: str, pair: PairResult) -> KeyNumber:
    error = "" if pair.best_match_standard_error is None else f" (standard error {pair.best_match_standard_error:.3f})"
    return KeyNumber(f"{pair.best_match_cka:.2f}", f"{which}: {pair.a + 1} and {pair.b + 1}{error}")


def _beside_untrained(result: ModelMatrix) -> KeyNumber:
    judged = [pair for pair in result.pairs if pair.weaker_side is not None and pair.weaker_side.low is not None]
    if not judged:
        return KeyNumber(None, "not measured, or without an interval.")
    above = sum(map(learned, judged))
    return KeyNumber(f"{above} of {len(judged)}", "pairs are more similar than to untrained copies, beyond the error")


def _predictions(result: ModelMatrix) -> Tile:
    shares = [pair.agreement for pair in result.pairs if pair.agreement is not None]
    if not shares:
        return Tile("Same predictions", (KeyNumber(None, "the classes of the models are not those of the images."),))
    text = f"of {result.dataset.examples:,} images, in all pairs"
    return Tile("Same predictions", (KeyNumber(_extent(shares), text),))


def _accuracies(result: ModelMatrix) -> Tile:
    known = [(model.accuracy, i) for i, model in enumerate(result.models) if model.accuracy is not None]
    if not known:
        return Tile("Accuracy", (KeyNumber(None, NO_ACCURACY),))
    ties = [i for accuracy, i in known if accuracy == max(known)[0]]
    which = listed("model", [str(i + 1) for i in ties])
    return Tile("Accuracy", (KeyNumber(_extent([accuracy for accuracy, _ in known]), f"most accurate: {which}"),))


def _extent(shares: Sequence[float]) -> str:
    """The smallest and largest of some fractions, in percent."""
    low, high = f"{min(shares):.1%}", f"{max(shares):.1%}"
    return low if low == high else f"{low.removesuffix('%')} to {high}"


def groups_tiles(result: GroupComparison) -> tuple[Tile, ...]:
    """Accuracies, whether the groups get different images right, classes that differ, and what other seeds confirm.

    Args:
        result: the comparison of the groups, with printable names.
    """
    accuracies = _of_group("a", result.a), _of_group("b", result.b)
    return (
        Tile("Accuracy", accuracies, difference_fact(result.accuracy)),
        Tile("Different images right", (_different_images(result),), "Beyond a uniform difference in skill."),
        Tile("Classes that differ", _classes(result)),
        Tile("Confirmed by other seeds", _confirmed(result), "Selected on half of the seeds, measured on the others."),
    )


def _of_group(label: str, group: Group) -> KeyNumber:
    error = f"standard error {100 * group.standard_error:.2f} points"
    return KeyNumber(f"{group.accuracy:.1%}", f"{label}, {len(group.models)} seeds ({error})")


def _different_images(result: GroupComparison) -> KeyNumber:
    p_value = result.spread.p_value
    if p_value <= LEVEL:
        return KeyNumber("yes", chance(p_value))
    if result.permutation.smallest_p > LEVEL:
        return KeyNumber(None, "so few seeds cannot show it; use at least four of each.")
    return KeyNumber("not shown", chance(p_value))


def _classes(result: GroupComparison) -> tuple[KeyNumber, KeyNumber]:
    count = result.classes.count
    corrected = sum(row.p_holm is not None and row.p_holm < LEVEL for row in result.classes.rows)
    by_chance = f"by chance {count.null_mean:.1f} on average, up to {count.null_95:.0f}"
    return (
        KeyNumber(f"{count.found} of {count.tested}", f"at p < 0.05; {by_chance} in 95 % of cases"),
        KeyNumber(str(corrected), "after correction for testing all classes (Holm)"),
    )


def _confirmed(result: GroupComparison) -> tuple[KeyNumber, KeyNumber]:
    return (
        _left("class that differs", "classes that differ", result.confirmed_classes),
        _left("image that differs", "images that differ", result.confirmed_examples),
    )


def _left(one: str, many: str, confirmation: Confirmation) -> KeyNumber:
    """What is left of the largest differences on the seeds that did not select them."""
    if not differs(confirmation.selecting):
        return KeyNumber("none", f"{many} on half of the seeds")
    count, ends = len(confirmation.selected), ""
    if confirmation.ci_low is not None:
        ends = f" ({interval(confirmation.ci_low, confirmation.ci_high, '+.1f')})"
    which = one if count == 1 else f"{count} {many}"
    text = f"of {percent(confirmation.selecting)} are left in the {which} most{ends}"
    return KeyNumber(f"{percent(confirmation.confirming)} points", text)


def inspection_tiles(result: Inspection) -> tuple[Tile, ...]:
    """Accuracy, block structure, what is left without its first component, and the images that dominate it.

    Args:
        result: the inspection, with printable names.
    """
    return _accuracy(result), _structure(result), _surviving(result), _dominant(result)


def _accuracy(result: Inspection) -> Tile:
    accuracy, images = result.model.accuracy, images_fact(result.dataset)
    number = KeyNumber(None, NO_ACCURACY) if accuracy is None else KeyNumber(f"{accuracy:.1%}", f"of {images}")
    return Tile("Accuracy", (number,))


def _structure(result: Inspection) -> Tile:
    number = structure_number("", result.block_structure, result.model.layers, result.inside.score)
    return Tile("Block structure", (number,))


def _surviving(result: Inspection) -> Tile:
    components, blocks = result.inside.components, result.inside.blocks
    first = "first component" if components == 1 else f"first {components} components"
    if not blocks:
        return Tile(f"Without the {first}", (KeyNumber("-", "there is no block structure"),))
    surviving = sum(block.survives for block in blocks)
    text = "blocks stay similar" if len(blocks) > 1 else "block stays similar"
    without = "without it" if components == 1 else "without them"
    return Tile(f"Without the {first}", (KeyNumber(f"{surviving} of {len(blocks)}", f"{text} {without}"),))


def _dominant(result: Inspection) -> Tile:
    if not result.inside.blocks:
        return Tile("Dominant images", (KeyNumber("-", "there is no block structure"),))
    strongest = max((block.dominant for block in result.inside.blocks), key=lambda dominant: dominant.pc1_share)
    text = f"of what a block's layers share comes from {strongest.count} of {result.dataset.examples:,} images"
    return Tile("Dominant images", (KeyNumber(f"{strongest.pc1_share:.0%}", text),))


def study_tiles(result: Reproduction) -> tuple[Tile, ...]:
    """How many claims are shown, opposite, not shown, and not measurable.

    Args:
        result: the study.
    """
    texts: dict[Verdict, str] = {
        "shown": "as in the paper",
        "opposite": "against the paper",
        "not shown": "tested, but not significant",
        "not measurable": "for want of networks or block structure",
    }
    count = len(result.claims)
    return tuple(
        Tile(verdict.capitalize(), (KeyNumber(f"{_with(result, verdict)} of {count}", f"claims, {text}"),))
        for verdict, text in texts.items()
    )


def _with(result: Reproduction, verdict: Verdict) -> int:
    return sum(claim.verdict == verdict for claim in result.claims)
