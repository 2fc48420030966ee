import shlex
from dataclasses import replace

from huggingface_hub import ModelCard

from cards.model_card import model_card, training_command
from zoo.recipe import Recipe


def test_card_has_metadata_that_the_hub_reads(trained):
    data = ModelCard(model_card(trained[1])).data
    assert data.license == "apache-2.0"
    assert data.library_name == "resnet-zoo"
    assert "resnet-zoo" in data.tags


def test_card_states_accuracy_with_interval_and_every_class(trained):
    record = trained[1]
    text = model_card(record)
    assert f"**{record.accuracy:.2%}** of 360 test images" in text
    assert all(f"| {row.name} | {row.examples} | {row.right} |" in text for row in record.test)


def test_card_gives_a_command_that_names_every_choice(trained):
    command = shlex.split(training_command(trained[1]))
    assert command[:2] == ["zoo", "train"]
    given = dict(zip(command[2::2], command[3::2], strict=True))
    assert given["--depth"] == "8"
    assert given["--width"] == "0.5"
    assert given["--epochs"] == "2"
    assert float(given["--lr"]) == trained[1].recipe.lr


def test_class_names_cannot_smuggle_html_or_table_cells(trained):
    row = replace(trained[1].test[0], name="<img src=x>|a|\n# b ![x](y)")
    text = model_card(replace(trained[1], test=(row,), recipe=Recipe()))
    assert "| &lt;img src=x&gt;&#124;a&#124; # b \\!\\[x\\](y) | " in text
