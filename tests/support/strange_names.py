"""Names that nobody should have, in results of every kind."""

from dataclasses import fields, is_dataclass, replace

from compare.groups.groups import compare_groups
from tests.support.networks import Net, stream
from tests.support.pages import deep_look, several
from tests.support.samples import comparison
from tests.support.studies import reproduction, study

# Control codes, bidirectional marks, a surrogate, a formula that is none, and characters that few fonts have.
STRANGE = "\x1b[31m\x00\x9b\n\u202e\u200f\ufeff\ud800$\\frac$<!-- --> 日本語 🦄 ไทย مرحبا é"
NAMES = ("name", "classes", "layers", "stage", "statement", "verdict", "quantity", "label", "series", "subset")


def with_strange_names(value):
    """A result with a strange start of all names."""
    if type(value) is tuple:
        return tuple(map(with_strange_names, value))
    if not is_dataclass(value):
        return value
    changed = {field.name: with_strange_names(getattr(value, field.name)) for field in fields(value)}
    for name in changed.keys() & set(NAMES):
        text = changed[name]
        changed[name] = tuple(map(strange, text)) if isinstance(text, tuple) else strange(text)
    return replace(value, **changed)


def strange(text):
    return f"{STRANGE}{text}" if isinstance(text, str) else text


KINDS = {
    "comparison": comparison,
    "inspection": deep_look,
    "matrix": lambda: several([20, 30]),
    "groups": lambda: compare_groups([Net(0), Net(1)], [Net(2), Net(3)], stream()),
    "study": lambda: reproduction(study()),
}
