"""Several models in plain words: which are alike, which stand apart, and how sure that is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

from compare.result.matrix import ModelMatrix, PairResult

# Beyond so many standard errors, a difference is told.
SURE = 2


@dataclass(frozen=True)
class Groups:
    """Models of which every two in one group are more alike than any two of different groups.

    Args:
        members: numbers of the models, from 0, the largest group first.
        within: the least alike pair of one group.
        across: the most alike pair of different groups.
    """

    members: tuple[tuple[int, ...], ...]
    within: PairResult
    across: PairResult


def matrix_verdict(result: ModelMatrix) -> str:
    """The answer in a few sentences."""
    return " ".join(_sentences(result))


def _sentences(result: ModelMatrix) -> Iterator[str]:
    pairs = sorted((pair for pair in result.pairs if pair.same_depth_cka is not None), key=_cka, reverse=True)
    if not pairs:
        yield "No layers of two of these models can be compared."
    elif len(result.models) == 2:
        yield f"Layers at the same relative depth have a CKA of {_value(pairs[0])} on average."
    else:
        yield (
            f"By CKA at the same relative depth the most alike are {_pair(result, pairs[0])}, {_value(pairs[0])}, and "
            f"the least alike {_pair(result, pairs[-1])}, {_value(pairs[-1])}."
        )
        yield _apart(result, find_groups(len(result.models), pairs))
    if any(pair.same_depth_standard_error is not None for pair in pairs):
        yield "After ± stands a standard error, for other draws of the images."
    yield _agreement(result)


def find_groups(count: int, pairs: Sequence[PairResult]) -> Groups | None:
    """The groups with the widest gap between pairs of one group and pairs of different ones.

    Args:
        count: how many models there are.
        pairs: those whose CKA at the same depth is known, the most alike first.

    Returns:
        None if there are no such groups, or their gap is not above two standard errors.
    """
    if len(pairs) < count * (count - 1) / 2:
        return None
    best, inside = None, 0
    group = list(range(count))
    for place, (pair, following) in enumerate(zip(pairs, pairs[1:], strict=False), 1):
        joined = group[pair.b]
        if joined != group[pair.a]:
            group = [group[pair.a] if its == joined else its for its in group]
            inside = sum(group[other.a] == group[other.b] for other in pairs)
        # As many pairs within groups as were taken: then they are these.
        if inside == place and (best is None or _gap(pair, following) > _gap(best.within, best.across)):
            members = [tuple(i for i in range(count) if group[i] == its) for its in dict.fromkeys(group)]
            best = Groups(tuple(sorted(members, key=len, reverse=True)), pair, following)
    return best if best and _gap(best.within, best.across) > SURE * _errors(best) else None


def _apart(result: ModelMatrix, groups: Groups | None) -> str:
    if groups is None:
        return "No model or group of models clearly stands apart from the others."
    many = [_several(members) for members in groups.members if len(members) > 1]
    alone = [members[0] for members in groups.members if len(members) == 1]
    if len(many) == 1:
        lone = f"{alone[0] + 1} ({_name(result, alone[0])}) stands" if len(alone) == 1 else f"{_several(alone)} stand"
        what = f"{lone} apart from {many[0]}"
    else:
        rest = f", and {_several(alone)} alone" if alone else ""
        what = f"There are {len(many)} groups, {'; '.join(many)}{rest}"
    gap, error = _gap(groups.within, groups.across), _errors(groups)
    sure = f", a gap of {gap / error:.0f} standard errors" if error else ""
    return (
        f"{what}: two of one group have {_cka(groups.within):.2f} or more, two of different groups "
        f"{_cka(groups.across):.2f} or less{sure}."
    )


def _agreement(result: ModelMatrix) -> str:
    known = [pair for pair in result.pairs if pair.agreement is not None]
    if not known:
        return "Predictions are not compared, since the classes of the models are not those of the images."
    shares = [pair.agreement for pair in known if pair.agreement is not None]
    half = max((pair.agreement_high or 0) - (pair.agreement_low or 0) for pair in known) / 2
    between = f"{min(shares):.1%}" if len(shares) == 1 else f"{min(shares):.1%} to {max(shares):.1%}"
    return (
        f"They predict the same class on {between} of {result.dataset.examples} images (95 % intervals are at most "
        f"{100 * half:.1f} points to either side)."
    )


def _cka(pair: PairResult) -> float:
    assert pair.same_depth_cka is not None
    return pair.same_depth_cka


def _gap(within: PairResult, across: PairResult) -> float:
    return _cka(within) - _cka(across)


def _errors(groups: Groups) -> float:
    """Standard error of the gap; 0 where it is unknown."""
    return hypot(groups.within.same_depth_standard_error or 0, groups.across.same_depth_standard_error or 0)


def _value(pair: PairResult) -> str:
    error = pair.same_depth_standard_error
    return f"{_cka(pair):.3f}" + ("" if error is None else f" ± {error:.3f}")


def _pair(result: ModelMatrix, pair: PairResult) -> str:
    first, second = (f"{i + 1} ({_name(result, i)})" for i in (pair.a, pair.b))
    return f"{first} and {second}"


def _name(result: ModelMatrix, number: int) -> str:
    name = result.models[number].name
    return name if len(name) <= 40 else f"{name[:40]}..."


def _several(numbers: Sequence[int]) -> str:
    *first, last = (str(number + 1) for number in numbers)
    return f"{', '.join(first)} and {last}" if first else last
