"""Options that take several values, as in `--a A1 A2 A3`."""

from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand


class SeveralValues(TyperCommand):
    """A command whose repeatable options accept several values at once.

    Click reads only one value after each option. Such a command must have no positional arguments, so that every value
    belongs to the option before it.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Rewrite `--a A1 A2` as `--a A1 --a A2`, which Click understands."""
        repeatable = {name for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        return super().parse_args(ctx, list(_repeated(args, repeatable)))


def _repeated(args: Sequence[str], repeatable: set[str]) -> Iterator[str]:
    option, values = "", 0
    for argument in args:
        if argument.startswith("-"):
            name, equals, _ = argument.partition("=")
            option, values = name if name in repeatable else "", int(bool(equals))
        elif option:
            if values:
                yield option
            values += 1
        yield argument
