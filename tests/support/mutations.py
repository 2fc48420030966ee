"""Hypothesis strategies: valid inputs with something wrong in them."""

import copy
import json

from hypothesis import strategies as st

# Values that replace a number, a text, or anything else.
NUMBERS = [-1, 0, 1, 2**31, 10**9, 10**30, -(10**18), -5.5, 1e300, 1e-300]
TEXTS = ["", "\x1b[31m\n", "x" * 5000, "..", "../../etc/passwd", "/etc/passwd", "\u202e\u0000", "\U0001f600", "<b>&'\""]
OTHERS = [None, True, [], {}, [[]], {"": 0}]


def places(value, path=()):
    """Paths of all values in JSON; of long lists, only of the first and the last elements."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)) if len(value) < 4 else (0, 1, len(value) - 1):
            yield from places(value[index], (*path, index))


@st.composite
def wrong_values(draw, value):
    """Another value in place of one."""
    choices = [st.sampled_from(NUMBERS), st.sampled_from(TEXTS), st.sampled_from(OTHERS)]
    if isinstance(value, list):
        choices.append(st.sampled_from([[], value[:-1], value + value[:1], value * 2, value[::-1]]))
    if isinstance(value, dict):
        choices.append(st.sampled_from([{}, dict(list(value.items())[:-1]), {**value, "unknown": 1}]))
    return draw(st.one_of(choices))


@st.composite
def mutated_json(draw, values):
    """The bytes of one of several JSON values, with one to three wrong values in it, or damaged bytes."""
    value = copy.deepcopy(draw(st.sampled_from(values)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(value))))
        if not path:
            continue
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = draw(wrong_values(parent[path[-1]]))
    data = json.dumps(value).encode()
    return draw(st.one_of(st.just(data), st.just(data), damaged(data)))


@st.composite
def damaged(draw, data):
    """Bytes that were cut, replaced, doubled, or nested deeply."""
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 100)))
    middle = draw(st.one_of(st.binary(max_size=20), st.sampled_from([b"[" * 50_000, b'{"a":' * 50_000, data[:5000]])))
    return data[:start] + middle + data[end:]
