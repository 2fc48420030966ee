"""The command that computes a result again."""

import json
import shlex
from dataclasses import replace

import pytest

from cards.page.settings import baseline_settings, command_line, exact_ref
from cards.pages.comparison import comparison_html
from compare.result.comparison import Baseline
from tests.support.page_reader import Reader
from tests.support.samples import comparison


def test_the_command_names_models_images_and_every_setting_that_is_not_the_default():
    settings = {"layers": "all", "batch_size": 20, "seed": 3, "passes": 1, "precision": "fp64", "tolerance": None}
    settings |= {"permutations": 19, "measures": "cka,cosine,knn,rsa", "estimator": "minibatch HSIC_1"}
    assert command_line(("compare", "models/a", "models/b"), comparison().dataset, settings) == (
        "compare models/a models/b --dataset pets --split test --layers all --batch-size 20 --seed 3 --precision fp64 "
        "--null 19 --measure knn --measure rsa"
    )


def test_a_shell_takes_hostile_names_as_they_are():
    dataset = replace(comparison().dataset, name='a\'b $(rm -rf) "c"')
    command = command_line(("compare", "models/x y", "; reboot"), dataset, {})
    assert shlex.split(command) == ["compare", "models/x y", "; reboot", "--dataset", dataset.name, "--split", "test"]
    assert "\n" not in command


@pytest.mark.parametrize("ref", [None, "two\nlines", "\u202egnp.exe"])
def test_there_is_no_command_for_models_from_memory_or_names_that_cannot_be_shown(ref):
    assert command_line(("compare", ref), comparison().dataset, {}) == ""
    assert command_line(("compare", "models/a"), replace(comparison().dataset, name=None), {}) == ""


def test_models_on_the_hub_are_named_at_their_commit():
    model = replace(comparison().models.a, ref="me/deep@v1", revision="c0ffee", kind="hub")
    assert exact_ref(model) == "me/deep@c0ffee"
    assert exact_ref(replace(model, ref="models/deep@epoch10", revision=None)) == "models/deep@epoch10"


def test_a_comparison_without_a_baseline_needs_none():
    assert baseline_settings(None) == {"baseline": "none"}
    command = command_line(("compare",), comparison().dataset, baseline_settings(Baseline((0, 1), None, None)))
    assert command.endswith("--split test --baseline-seeds 2")


@pytest.mark.slow
def test_the_command_on_the_page_computes_the_same_numbers(run, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(folders[0].parent)
    first, page, second = tmp_path / "1.json", tmp_path / "1.html", tmp_path / "2.json"
    options = ("--max-examples", 96, "--seed", 5, "--measure", "knn", "--layers", "blocks", "--baseline-seeds", 1)
    assert run("compare", *(folder.name for folder in folders), *options, "--json", first, "--html", page).code == 0
    text = Reader(page.read_bytes()).text
    command = text[text.rindex("Do it again") :].removeprefix("Do it again ").partition(" Settings and versions")[0]
    assert run(*shlex.split(command), "--json", second, "--no-cache").code == 0
    assert json.loads(first.read_text()) == json.loads(second.read_text())


def test_a_page_without_a_command_still_lists_its_settings():
    text = Reader(comparison_html(replace(comparison(), dataset=replace(comparison().dataset, name=None)), {})).text
    assert "--dataset" not in text
    assert "minibatch HSIC_1" in text
