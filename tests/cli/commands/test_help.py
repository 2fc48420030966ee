"""`zoo help`, and the version of both programs."""

from importlib.metadata import version

import pytest
from typer.main import get_command

from cli.app import zoo_app

ZOO = get_command(zoo_app())
COMMANDS = [(), *((name,) for name in ZOO.commands), *(("cache", name) for name in ZOO.commands["cache"].commands)]


@pytest.mark.parametrize("command", [(), ("train",), ("cache", "list")])
def test_help_is_that_of_the_command(run, command):
    ran = run("zoo", "help", *command)
    assert (ran.code, ran.stdout) == (0, run("zoo", *command, "--help").stdout)
    assert "Usage: zoo" in ran.stdout


@pytest.mark.parametrize("words", ["zoo", "zoo inspect", "zoo cache", "compare"])
def test_a_call_without_arguments_prints_the_help(run, words):
    ran = run(*words.split())
    assert (ran.code, ran.stderr.strip()) == (2, run(*words.split(), "--help").stdout.strip())


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("compare", "A B"),
        ("matrix", "M1 M2 ..."),
        ("site", "[DIR] [M1 M2 ...]"),
        ("list", "[OWNER]"),
        ("train", ""),
    ],
)
def test_the_usage_line_names_arguments_once(run, command, usage):
    assert run("zoo", command, "--help").stdout.startswith(f"Usage: zoo {command} [OPTIONS] {usage}".strip() + "\n")


def test_defaults_in_words_have_no_brackets_around_them(run):
    text = " ".join(run("compare", "--help").stdout.split())
    assert "[default: that of the (first) model]" in text
    assert "[default: all; x>=1]" in text


def test_help_about_no_command_is_wrong_usage(run):
    ran = run("zoo", "help", "trian")
    assert ran.code == 2
    assert "No such command 'trian'. Did you mean 'train'" in ran.stderr


@pytest.mark.parametrize("script", ["zoo", "compare"])
def test_both_programs_print_the_version(run, script):
    ran = run(script, "--version")
    assert (ran.code, ran.stdout) == (0, f"resnet-zoo {version('resnet-zoo')}\n")


def panels(text):
    """The first words of the rows of each panel of a help page."""
    rows = {}
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            panel = rows.setdefault(line[:-1], [])
        elif rows and line.startswith("  ") and line[2] != " ":
            panel.append(line.split()[0])
    return rows


def test_commands_and_options_stand_in_panels(run):
    assert panels(run("zoo", "--help").stdout) == {
        "Train": ["train", "sweep", "reproduce", "prune", "variants"],
        "Compare": ["compare", "matrix", "groups", "inspect", "site", "serve"],
        "Hub": ["push", "push-report", "pull", "collect"],
        "Tools": ["list", "show", "card", "doctor", "help", "cache"],
        "Options": ["--version", "--install-completion", "--show-completion", "--help"],
    }
    assert list(panels(run("zoo", "train", "--help").stdout)) == ["Model", "Data", "Recipe", "Run", "Output", "Options"]
    shown = panels(run("compare", "--help").stdout)
    assert list(shown) == ["Arguments", "Data", "Analysis", "Run", "Output", "Options"]
    assert shown == panels(run("zoo", "compare", "--help").stdout) | {"Options": shown["Options"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_panel(run, command):
    of_typer = {"--help", "--version", "--install-completion", "--show-completion"}
    assert set(panels(run("zoo", *command, "--help").stdout)["Options"]) <= of_typer


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_whole_descriptions_in_80_columns(run, command):
    text = run("zoo", *command, "--help").stdout
    assert max(map(len, text.splitlines())) <= 80
    # The column of descriptions begins early enough for several words.
    assert max(len(line) - len(line.lstrip()) for line in text.splitlines()) <= 32


@pytest.mark.parametrize(("program", "group"), [(("zoo",), ZOO), (("zoo", "cache"), ZOO.commands["cache"])])
def test_the_sentence_about_each_command_is_whole(run, program, group):
    text = run(*program, "--help").stdout
    sentences = {name: command.help.split("\n\n")[0] for name, command in group.commands.items() if not command.hidden}
    assert [name for name, sentence in sentences.items() if f"{name} " not in text or sentence not in text] == []
