"""Match the classes of a model with those of the data, or of another model. Needs no torch."""

from collections import Counter
from collections.abc import Mapping, Sequence


def match_classes(model_names: Sequence[str] | None, count: int, names: Sequence[str]) -> tuple[int, ...] | None:
    """Find the logit of each class.

    Names are compared as they are, then without upper case, underscores, and hyphens; then each name of a list of
    synonyms counts, as in ImageNet's `tench, Tinca tinca`. A model without class names has the classes in their order,
    or, if all names are whole numbers, in numeric order.

    Args:
        model_names: class names of the model, in the order of its logits; None if it has none.
        count: number of logits.
        names: names of the classes to find.

    Returns:
        Position of each class among the logits, which may be more than the classes; None if a class is missing, or if
        its name fits several logits.

    Example:
        >>> match_classes(["tench, Tinca tinca", "tabby, tabby cat", "sports car"], 3, ["sports_car", "tench"])
        (2, 0)
        >>> match_classes(None, 3, ["10", "9", "8"])
        (2, 1, 0)
    """
    if model_names is None:
        return _match_numbers(count, names)
    if tuple(model_names) == tuple(names):
        return tuple(range(count))
    lists: tuple[Mapping[str, int], ...] = (
        _places([[name] for name in model_names]),
        _places([[_plain(name)] for name in model_names]),
        _places([[_plain(synonym) for synonym in name.split(",")] for name in model_names]),
    )
    for places, wanted in zip(lists, (names, [*map(_plain, names)], [*map(_plain, names)]), strict=True):
        logits = tuple(places[name] for name in wanted if name in places)
        if len(set(logits)) == len(names):
            return logits
    return None


def _match_numbers(count: int, names: Sequence[str]) -> tuple[int, ...] | None:
    """Logits of a model without class names, if they are as many as the names."""
    if len(names) != count:
        return None
    numbers = [int(name) for name in names if name.isdecimal()]
    if len(set(numbers)) < count:
        return tuple(range(count))
    ranks = {number: rank for rank, number in enumerate(sorted(numbers))}
    return tuple(ranks[number] for number in numbers)


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _places(synonyms: Sequence[Sequence[str]]) -> dict[str, int]:
    """Position of each name that fits one class only."""
    places = {name: place for place, of_class in enumerate(synonyms) for name in of_class}
    counts = Counter(name for of_class in synonyms for name in set(of_class))
    return {name: place for name, place in places.items() if counts[name] == 1}
