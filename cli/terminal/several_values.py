"""Options that take several values after one name, as in `--a A1 A2 A3`."""

from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand


class SeveralValues(TyperCommand):
    """A command whose repeatable options may also be given once, with several values.

    Click itself reads one value after each name. A command of this kind must have no arguments beside its options, so
    that whatever stands alone belongs to the option before.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write `--a A1 A2` as `--a A1 --a A2`, which click reads."""
        repeatable = {name for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        return super().parse_args(ctx, list(_repeated(args, repeatable)))


def _repeated(args: Sequence[str], repeatable: set[str]) -> Iterator[str]:
    option, values = "", 0
    for argument in args:
        if argument.startswith("-"):
            name, given, _ = argument.partition("=")
            option, values = name if name in repeatable else "", int(bool(given))
        elif option:
            if values:
                yield option
            values += 1
        yield argument
