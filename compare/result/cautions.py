"""Sentences that readers must know before the answers of a result. Needs no torch."""

from collections.abc import Sequence

# More models are counted instead of named.
MOST_NAMED = 4


def same_weights_caution(sides: Sequence[str]) -> str:
    """The caution that some models have the same weights.

    Args:
        sides: names of these models in the sentence, such as `a` and `b`.

    Example:
        >>> same_weights_caution("ab")
        'a and b have the same weights.'
    """
    return f"{together(sides)} have the same weights."


def together(sides: Sequence[str]) -> str:
    """Names of models as the subject of a sentence; of more than four, three are named.

    Args:
        sides: the names, at least one.

    Example:
        >>> together(["a1"]), together(["a1", "a2", "b1"]), together(["a1", "a2", "a3", "b1", "b2"])
        ('a1', 'a1, a2 and b1', 'a1, a2, a3 and 2 others')
    """
    named = list(sides)
    if len(named) > MOST_NAMED:
        named[MOST_NAMED - 1 :] = [f"{len(named) - MOST_NAMED + 1} others"]
    *first, last = named
    return f"{', '.join(first)} and {last}" if first else last
