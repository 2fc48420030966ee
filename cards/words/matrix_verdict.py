"""Summary of several models in plain English: which are similar, which stand apart, and how certain that is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

from cards.words.legible import counted
from compare.result.matrix import ModelMatrix, PairResult

# Pairs that a sentence names.
MOST_NAMED = 3
# Gaps of at most this number of standard errors are not reported, nor are gaps below the last digit shown.
SIGNIFICANT, SMALLEST = 2, 0.01


@dataclass(frozen=True)
class Groups:
    """A partition of models: any two models of one group are more similar than any two of different groups.

    Args:
        members: numbers of the models in each group, from 0, the largest group first.
        within: the least similar pair inside a group.
        across: the most similar pair across groups.
    """

    members: tuple[tuple[int, ...], ...]
    within: PairResult
    across: PairResult


def learned(pair: PairResult) -> bool:
    """Whether both models are more similar to each other than to untrained copies: both intervals are above 0."""
    weaker = pair.weaker_side
    return weaker is not None and weaker.low is not None and weaker.low > 0


def matrix_verdict(result: ModelMatrix) -> str:
    """Summary in a few sentences: cautions, the most and least similar pair, groups, untrained copies, and agreement.

    Args:
        result: the pairs of several models.
    """
    return " ".join(_sentences(result))


def _sentences(result: ModelMatrix) -> Iterator[str]:
    yield from result.cautions
    pairs = sorted((pair for pair in result.pairs if pair.best_match_cka is not None), key=_cka, reverse=True)
    if not pairs:
        yield "No two of these models have layers that can be compared."
    elif len(result.models) == 2:
        yield f"With the most similar layer of the other model, layers have a CKA of {_value(pairs[0])} on average."
    else:
        yield (
            f"By CKA with the most similar layer, the most similar models are {_pair(result, pairs[0])}, "
            f"{_value(pairs[0])}, and the least similar {_pair(result, pairs[-1])}, {_value(pairs[-1])}."
        )
        yield _apart(result, pairs)
    if any(pair.best_match_standard_error is not None for pair in pairs):
        yield "± marks the standard error over draws of the images, not over trainings."
    yield from _beside_untrained(result)
    yield _agreement(result)


def find_groups(count: int, pairs: Sequence[PairResult]) -> Groups | None:
    """Find the groups with the widest gap between pairs inside a group and pairs across groups.

    Args:
        count: number of models.
        pairs: the pairs with a best match, the most similar first.

    Returns:
        None if there are no such groups, or their gap is at most two standard errors or 0.01, or has no standard error.
    """
    if len(pairs) < count * (count - 1) / 2:
        return None
    best, pairs_inside = None, 0
    # Single-linkage clustering: join the groups of the most similar pair, one pair after the other.
    groups = list(range(count))
    for pairs_taken, (pair, following) in enumerate(zip(pairs, pairs[1:], strict=False), 1):
        joined = groups[pair.b]
        if joined != groups[pair.a]:
            groups = [groups[pair.a] if group == joined else group for group in groups]
            pairs_inside = sum(groups[other.a] == groups[other.b] for other in pairs)
        # If the numbers are equal, the pairs taken are exactly the pairs inside groups.
        if pairs_inside == pairs_taken and (best is None or _gap(pair, following) > _gap(best.within, best.across)):
            members = [tuple(i for i in range(count) if groups[i] == group) for group in dict.fromkeys(groups)]
            best = Groups(tuple(sorted(members, key=len, reverse=True)), pair, following)
    if best is None:
        return None
    gap, error = _gap(best.within, best.across), _error(best)
    return best if error is not None and gap > max(SIGNIFICANT * error, SMALLEST) else None


def _apart(result: ModelMatrix, pairs: Sequence[PairResult]) -> str:
    if unknown := sum(pair.best_match_standard_error is None for pair in pairs):
        return (
            f"The standard errors of {unknown} of {len(pairs)} pairs are unknown, so the gaps between pairs cannot be "
            "judged."
        )
    groups = find_groups(len(result.models), pairs)
    if groups is None:
        return "No model or group of models clearly stands apart from the others."
    several = [_numbers(members) for members in groups.members if len(members) > 1]
    alone = [members[0] for members in groups.members if len(members) == 1]
    if len(several) == 1:
        lone = f"{alone[0] + 1} ({_name(result, alone[0])}) stands" if len(alone) == 1 else f"{_numbers(alone)} stand"
        what = f"{lone} apart from {several[0]}"
    else:
        rest = f", and {_numbers(alone)} alone" if alone else ""
        what = f"There are {len(several)} groups, {'; '.join(several)}{rest}"
    gap, error = _gap(groups.within, groups.across), _error(groups)
    certainty = f", a gap of {gap / error:.0f} standard errors" if error else ""
    return (
        f"{what}: two models of one group have {_cka(groups.within):.2f} or more, two of different groups "
        f"{_cka(groups.across):.2f} or less{certainty}."
    )


def _beside_untrained(result: ModelMatrix) -> Iterator[str]:
    """In which pairs training explains a part of the similarity, and in which an untrained copy is as similar."""
    pairs = [pair for pair in result.pairs if pair.baseline is not None]
    judged = [pair for pair in pairs if pair.weaker_side is not None and pair.weaker_side.low is not None]
    above, others = ([pair for pair in judged if learned(pair) == is_above] for is_above in (True, False))
    if above:
        which = "In all pairs" if len(above) == len(result.pairs) else f"In {len(above)} of {len(result.pairs)} pairs"
        yield (
            f"{which if len(result.pairs) > 1 else 'Here'}, training explains a part of this similarity: it is higher "
            f"than that with untrained copies by {min(map(_smallest, above)):.2f} or more."
        )
    if others:
        yield (
            f"For {_named(others)}, an untrained copy of one model is at least as similar to the other, within the "
            "error, so this similarity does not show that they learned the same."
        )
    if pairs and len(judged) < len(result.pairs):
        rest = [pair for pair in result.pairs if pair not in judged]
        yield f"For {_named(rest)}, it is unknown whether training explains this similarity."


def _smallest(pair: PairResult) -> float:
    """The smaller difference from an untrained copy of both models."""
    sides = (pair.baseline.a, pair.baseline.b) if pair.baseline else ()
    return min(side.above for side in sides if side is not None)


def _named(pairs: Sequence[PairResult]) -> str:
    names = [f"{pair.a + 1} and {pair.b + 1}" for pair in pairs[:MOST_NAMED]]
    more = f", and {len(pairs) - MOST_NAMED} more pairs" if len(pairs) > MOST_NAMED else ""
    return f"{'; '.join(names)}{more}"


def _agreement(result: ModelMatrix) -> str:
    shares = [pair.agreement for pair in result.pairs if pair.agreement is not None]
    if not shares:
        return "Predictions are not compared, because the classes of the models are not those of the images."
    half_width = max((pair.agreement_high or 0) - (pair.agreement_low or 0) for pair in result.pairs) / 2
    extent = f"{min(shares):.1%}" if len(shares) == 1 else f"{min(shares):.1%} to {max(shares):.1%}"
    examples = counted(result.dataset.examples, "image")
    same = f"on {extent} of {examples} (95 % intervals: ± {100 * half_width:.1f} points at most)."
    if len(shares) < len(result.pairs):
        return f"In {len(shares)} of {len(result.pairs)} pairs, predictions can be compared: they are the same {same}"
    return f"They predict the same class {same}"


def _cka(pair: PairResult) -> float:
    assert pair.best_match_cka is not None
    return pair.best_match_cka


def _gap(within: PairResult, across: PairResult) -> float:
    return _cka(within) - _cka(across)


def _error(groups: Groups) -> float | None:
    """Standard error of the gap; None if it is unknown."""
    within, across = groups.within.best_match_standard_error, groups.across.best_match_standard_error
    return None if within is None or across is None else hypot(within, across)


def _value(pair: PairResult) -> str:
    error = "" if pair.best_match_standard_error is None else f" ± {pair.best_match_standard_error:.3f}"
    ceiling = "" if pair.ceiling is None else f" (two seeds of one architecture: {pair.ceiling:.2f})"
    return f"{_cka(pair):.3f}{error}{ceiling}"


def _pair(result: ModelMatrix, pair: PairResult) -> str:
    first, second = (f"{i + 1} ({_name(result, i)})" for i in (pair.a, pair.b))
    return f"{first} and {second}"


def _name(result: ModelMatrix, number: int) -> str:
    name = result.models[number].name
    return name if len(name) <= 40 else f"{name[:40]}..."


def _numbers(numbers: Sequence[int]) -> str:
    *first, last = (str(number + 1) for number in numbers)
    return f"{', '.join(first)} and {last}" if first else last
