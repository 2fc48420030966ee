"""Commands say which files they wrote, and where."""

import shutil

import pytest


@pytest.mark.parametrize("command", [("variants", "--depth", 14), ("list",), ("show", "MODEL")])
def test_commands_name_the_json_unless_it_goes_to_stdout(run, here, folders, command):
    arguments = [folders[0] if word == "MODEL" else word for word in command]
    assert "Written: x.json.\n" in run("zoo", *arguments, "--json", "x.json").stderr
    assert (here / "x.json").is_file()
    assert "Written" not in run("zoo", *arguments, "--json", "-").stderr


def test_a_new_card_names_its_pictures(run, here, folders):
    shutil.copytree(folders[0], here / "m")
    ran = run("zoo", "card", "m")
    assert ran.stdout == "m/README.md\n"
    assert ran.stderr == "Written: m/training.png, m/cka.png.\n"
