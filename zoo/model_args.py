"""Arguments of timm's `create_model` that come from files: checked before timm sees them. Needs no torch."""

import re
from typing import Any

from zoo.errors import ZooError

# Bounds for what a file from elsewhere may hand to timm; its own models stay well below.
MAX_NUMBER, MAX_VALUES, MAX_NESTING = 8192, 1000, 4
_WORD = re.compile(r"[\w.+-]{0,100}")
# Arguments of timm's create_model that name files or change what comes back.
_NOT_OF_A_MODEL = ("pretrained", "checkpoint_path", "cache_dir", "scriptable", "exportable", "no_jit", "features_only")


def check_model_args(args: dict[str, Any]) -> None:
    """Let through names, numbers, words and short lists of them; nothing that names a file or a kind of loading.

    Raises:
        ZooError: something else.
    """
    for name in args:
        if not name.isidentifier() or name.startswith(_NOT_OF_A_MODEL):
            raise ZooError(f"model_args must describe a model, got {name[:100]!r}.")
    if _count(args, MAX_NESTING) > MAX_VALUES:
        raise ZooError(f"expected at most {MAX_VALUES} values in model_args, got more.")


def _count(value: Any, levels: int) -> int:
    """How many values there are, all of which are within bounds."""
    if isinstance(value, dict | list) and levels:
        parts = value.values() if isinstance(value, dict) else value
        return sum(_count(part, levels - 1) for part in parts)
    if isinstance(value, str):
        fine = _WORD.fullmatch(value) is not None
    else:
        fine = value is None or (isinstance(value, int | float) and abs(value) <= MAX_NUMBER)
    if not fine:
        raise ZooError(
            f"expected words, numbers up to {MAX_NUMBER} and short lists of them in model_args, got "
            f"{str(value)[:100]!r}."
        )
    return 1
