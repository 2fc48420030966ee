"""Options declared once: a command's dataclass parameters become command-line options. And options with several values.

    @expand_options
    def matrix(models: list[str], *, images: ImageOptions, files: Files) -> None: ...

`zoo matrix` then has one option for each field of `ImageOptions` and `Files`, with the field's type, help text, and
default, and the function receives the two instances.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from cli.terminal.help_page import usage_parts, write_commands, write_parameters
from zoo.base.allocator import collect_rarely, keep_freed_memory
from zoo.base.threads import wait_without_spinning
from zoo.errors import ZooError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Result = TypeVar("Result")


def expand_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Give a command one option for each field of its dataclass parameters.

    Typer reads the options of a command from its signature, so this changes the signature alone.

    Args:
        command: a function for Typer. Parameters of other types stay as they are.

    Returns:
        The same command for Typer, with all parameters keyword-only.
    """
    groups: dict[str, type[DataclassInstance]] = {}
    parameters: list[Parameter] = []
    for parameter in signature(command).parameters.values():
        if dataclasses.is_dataclass(parameter.annotation):
            group = cast("type[DataclassInstance]", parameter.annotation)
            groups[parameter.name] = group
            parameters.extend(_parameters(group))
        else:
            parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))

    @wraps(command)
    def run(**values: Any) -> Result:
        options = {
            name: group(**{field.name: values.pop(field.name) for field in dataclasses.fields(group)})
            for name, group in groups.items()
        }
        return command(**values, **options)

    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return run


def _parameters(group: "type[DataclassInstance]") -> Iterator[Parameter]:
    """A parameter for each field of a dataclass."""
    types = get_type_hints(group, include_extras=True)
    for field in dataclasses.fields(group):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if default is dataclasses.MISSING:
            default = Parameter.empty
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=types[field.name])


def arguments(options: "DataclassInstance") -> Iterator[str]:
    """The command-line arguments that give the same options to another process.

    Args:
        options: a dataclass whose fields have the names of their options. Options that are None are left out.
    """
    for name, value in dataclasses.asdict(options).items():
        if value is not None:
            yield f"--{name.replace('_', '-')}={value}"


# PyTorch and NumPy count in 64 bits.
LARGEST = 10**15
# The base class of Typer's errors of wrong usage. Another of its subclasses holds the help of a call without arguments.
_WrongUsage: Any = typer.BadParameter.__base__


@contextmanager
def _clean_messages() -> Iterator[None]:
    """Clean and cut messages about wrong usage, which contain what the user typed.

    Pydantic, which Typer parses values with, puts a prefix before the message about a wrong choice.
    """
    try:
        yield
    except _WrongUsage as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        message = error.message.removeprefix("Value error, ")
        # Typer puts the name of the option before it.
        error.message = str(ZooError(message if len(message) < 400 else f"{message[:200]} ... {message[-150:]}"))
        raise


def _check(context: Any, parameter: Any, value: object) -> None:
    """Refuse values that no option takes: an empty text, as of an unset variable of a shell, and immense numbers."""
    if value == "":
        raise typer.BadParameter("expected a value, got an empty text.", context, parameter)
    if isinstance(value, int) and value > LARGEST:
        raise typer.BadParameter(f"expected at most {LARGEST:,}, got {value:,}.", context, parameter)


class Group(TyperGroup):
    """A program with several commands."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands in panels, then the options."""
        write_commands(self, ctx, formatter)
        write_parameters(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the options before the command."""
        with _clean_messages():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Parse the arguments of a command, and run it."""
        with _clean_messages():
            return super().invoke(ctx)


class Command(TyperCommand):
    """A command."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The parts of the usage line after the name of the command."""
        return usage_parts(self, ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options in panels."""
        write_parameters(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments."""
        with _clean_messages():
            rest = super().parse_args(ctx, args)
            for parameter in self.params:
                _check(ctx, parameter, ctx.params.get(str(parameter.name)))
            return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command, in a process that spends little time on memory and leaves idle cores to others."""
        keep_freed_memory()
        collect_rarely()
        wait_without_spinning()
        return super().invoke(ctx)


class SeveralValues(Command):
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
