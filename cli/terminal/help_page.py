"""The help of a command or program: its options, or its commands, in panels.

Typer draws panels with Rich, which takes long to import and needs room for borders. Here each panel is a list with a
heading, as in the plain help of Typer.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

# An option has one name in all commands, so its panel depends on the name alone. Where two commands mean different
# things by a name, the option names its panel with `rich_help_panel`.
PANELS = {
    "Model": (
        "--family --depth --depths --width --widths --arch --a --b --models --hub --block-structure --remove --paper"
    ),
    "Data": (
        "--dataset --image-column --label-column --split --subset --subsets --max-examples --batch-size --superclasses"
    ),
    "Recipe": "--recipe --epochs --lr --weight-decay --pc-regularize --fine-tune",
    "Analysis": (
        "--layers --pool --passes --precision --tolerance --measure --null --baseline --baseline-seeds --correction "
        "--pair --part --components --drop-dominant"
    ),
    "Run": (
        "--seed --seeds --device --server --jobs --ray --no-cache --resume --save-epochs --track --time-limit "
        "--timeout --quiet --verbose"
    ),
    "Service": (
        "--host --port --url --token-file --allow-private --data --database --workers --job-timeout --watch "
        "--watch-dataset --report-to-hub --limit-queued --limit-parameters --limit-images --limit-disk"
    ),
    "Output": (
        "--out --force --full --json --png --svg --html --export --require --include --push --push-space --private "
        "--revision --tag --message --limit --page"
    ),
}
PANEL_OF = {option: panel for panel, options in PANELS.items() for option in options.split()}
ARGUMENTS, OTHER = "Arguments", "Options"
# `<list[int]>` and `<int range>` of Typer become `<int>`, and `[default: (all)]` becomes `[default: all]`.
TYPE, DEFAULT = re.compile(r"<(?:list\[(.*)\]|(.*) range)>"), re.compile(r"\[default: \((.*?)\)(?=[];])")


def usage_parts(command: Any, context: Any) -> list[str]:
    """The parts of the usage line after the name of the command, such as `[OPTIONS] A B`.

    Typer writes `[OPTIONS] {A} {B}`, and repeats names that already say that there are several, as `{M1 M2 ...}...`.

    Args:
        command: a command of Typer.
        context: its context.
    """
    names = [
        parameter.metavar if parameter.required or parameter.metavar.startswith("[") else f"[{parameter.metavar}]"
        for parameter in command.get_params(context)
        if parameter.param_type_name == "argument"
    ]
    return ["[OPTIONS]", *names]


def write_parameters(command: Any, context: Any, formatter: Any) -> None:
    """Write the arguments and options of a command.

    Args:
        command: a command of Typer.
        context: its context.
        formatter: receives the text.
    """
    records = [(parameter, parameter.get_help_record(context)) for parameter in command.get_params(context)]
    rows = [(_panel(parameter), _row(parameter, *record)) for parameter, record in records if record is not None]
    _write(formatter, (ARGUMENTS, *PANELS, OTHER), rows)


def write_commands(group: Any, context: Any, formatter: Any) -> None:
    """Write the commands of a group, each with its first sentence.

    Args:
        group: a group of Typer.
        context: its context.
        formatter: receives the text.
    """
    commands = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    shown = [(name, command) for name, command in commands if not command.hidden]
    rows = [
        (command.rich_help_panel or "Commands", (name, command.get_short_help_str(formatter.width)))
        for name, command in shown
    ]
    _write(formatter, dict.fromkeys(panel for panel, _ in rows), rows)


def _panel(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return ARGUMENTS
    return getattr(parameter, "rich_help_panel", None) or PANEL_OF.get(parameter.opts[0], OTHER)


def _row(parameter: Any, name: str, description: str) -> tuple[str, str]:
    if parameter.param_type_name == "argument":
        name = parameter.metavar
    return TYPE.sub(r"<\1\2>", name), DEFAULT.sub(r"[default: \1", description)


def _write(formatter: Any, order: Iterable[str], rows: Sequence[tuple[str, tuple[str, str]]]) -> None:
    """Write the panels that have rows, with all descriptions below each other."""
    width = max(len(name) for _, (name, _) in rows)
    for panel in order:
        if of_panel := [(name.ljust(width), text) for row_panel, (name, text) in rows if row_panel == panel]:
            with formatter.section(panel):
                formatter.write_dl(of_panel)
