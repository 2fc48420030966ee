import re
import shlex
from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

import zoo
from cards.model_card.model_card import model_card, training_command
from tests.support.samples import comparison
from zoo.model_folder.card_marker import named_license, named_repo, own_text
from zoo.record.recipe import Recipe


def test_card_has_metadata_that_the_hub_reads(trained):
    data = ModelCard(model_card(trained[1])).data
    assert (data.license, data.library_name, data.pipeline_tag) == ("apache-2.0", "resnet-zoo", "image-classification")
    assert (data.tags, data.datasets, data.metrics) == (["resnet-zoo", "cifar_resnet"], ["digits"], ["accuracy"])
    (result,) = data.eval_results
    record = trained[1]
    assert result.metric_value == pytest.approx(record.accuracy, abs=1e-6)
    assert (result.dataset_type, result.dataset_split, result.metric_args) == ("digits", "test", {"seed": record.seed})
    assert result.dataset_revision == record.data.test_fingerprint
    assert data.to_dict()["resnet_zoo"]["parameters"] == record.variant.parameters


def test_card_states_accuracy_with_interval_and_every_class(trained):
    record = trained[1]
    text = model_card(record)
    assert f"**{record.accuracy:.2%}** of 360 test images" in text
    for row in record.test:
        assert f"| {row.name} | {row.examples} | {row.right} | {row.right / row.examples:.1%} |" in text


def test_card_gives_a_command_that_names_every_choice(trained):
    command = shlex.split(training_command(trained[1]))
    assert command[:2] == ["zoo", "train"]
    given = dict(zip(command[2::2], command[3::2], strict=True))
    assert given["--depth"] == "8"
    assert given["--width"] == "0.5"
    assert given["--epochs"] == "2"
    assert float(given["--lr"]) == trained[1].recipe.lr


def test_card_mentions_a_warm_up_only_where_there_was_one(trained):
    record = trained[1]
    warm = replace(record, recipe=replace(record.recipe, lr=0.05, warm_up=0.25))
    assert "learning rate 0.05 with cosine decay to 0" in model_card(record)
    assert "learning rate 0.05 after a warm-up over 25% of the training, with cosine decay to 0" in model_card(warm)


def test_class_names_cannot_smuggle_html_or_table_cells(trained):
    row = replace(trained[1].test[0], name="<img src=x>|a|\n# b ![x](y)")
    text = model_card(replace(trained[1], test=(row,), recipe=Recipe()))
    assert "| &lt;img src=x&gt;&#124;a&#124; # b \\!\\[x\\](y) | " in text


def test_repository_license_and_own_text_are_read_back(trained):
    card = model_card(trained[1], repo_id="me/some.model-1", license_name="mit").encode()
    assert (named_repo(card), named_license(card), own_text(card)) == ("me/some.model-1", "mit", b"")
    assert ModelCard(card.decode()).data.license == "mit"


def test_examples_use_public_names_alone(trained):
    text = model_card(trained[1], repo_id="me/m")
    code = "".join(re.findall(r"^```python\n(.*?)^```$", text, flags=re.M | re.S))
    assert 'model = zoo.load("me/m")' in code
    assert set(re.findall(r"\bzoo\.(\w+)", code)) <= set(zoo.__all__)
    assert not re.search(r"^from (zoo|compare|cards|cli)\b", code, flags=re.M)


def test_pictures_appear_with_the_comparison(trained):
    text = model_card(trained[1], comparison())
    assert "](training.png)" in text
    assert "](cka.png)" in text
    assert "It has no block structure." in text
    assert ".png" not in model_card(trained[1])
