"""`zoo help`, and the version of both programs."""

from importlib.metadata import version

import pytest


@pytest.mark.parametrize("command", [(), ("train",), ("cache", "list")])
def test_help_is_that_of_the_command(run, command):
    ran = run("zoo", "help", *command)
    assert (ran.code, ran.stdout) == (0, run("zoo", *command, "--help").stdout)
    assert "Usage: zoo" in ran.stdout


def test_help_about_no_command_is_wrong_usage(run):
    ran = run("zoo", "help", "trian")
    assert ran.code == 2
    assert "No such command 'trian'. Did you mean 'train'" in ran.stderr


@pytest.mark.parametrize("script", ["zoo", "compare"])
def test_both_programs_print_the_version(run, script):
    ran = run(script, "--version")
    assert (ran.code, ran.stdout) == (0, f"resnet-zoo {version('resnet-zoo')}\n")
