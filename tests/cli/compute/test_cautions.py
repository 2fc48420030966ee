"""What a reader must know before the answer, from the files of the models."""

import json
from dataclasses import replace
from shutil import copytree

import pytest

from cli.compute.cautions import with_cautions
from tests.support.samples import comparison
from zoo.hub.find import find_model


@pytest.fixture
def cautions(folders):
    """Cautions about two models that were trained on digits, compared on some images."""

    def cautions(*names, refs=folders, **dataset):
        result = replace(comparison(), cautions=names, notes=names)
        result = replace(result, dataset=replace(result.dataset, **dataset))
        result = with_cautions(result, [find_model(str(ref)) for ref in refs], "ab")
        assert result.notes[: len(result.cautions)] == result.cautions
        return result.cautions

    return cautions


def test_test_images_of_the_training_dataset_need_no_caution(cautions, digits):
    assert cautions(name="digits", split="test") == ()
    assert cautions(name="other", split="test", fingerprint=digits[1].fingerprint) == ()


@pytest.mark.parametrize("split", ["train", "all"])
def test_evaluation_on_training_images_is_announced(cautions, split):
    expected = f"a and b were trained on images of digits {split}, so the accuracy here is not that on new images."
    assert cautions(name="digits", split=split) == (expected,)


def test_training_images_are_known_under_another_name(cautions, digits):
    (sentence,) = cautions(name="copy", split="test", fingerprint=digits[0].fingerprint)
    assert sentence.startswith("a and b were trained on images of copy test")


def test_other_training_data_are_announced(cautions, folders, tmp_path):
    assert cautions(name="pets", split="test") == ("a and b were trained on digits, evaluated on pets.",)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for name in ("config.json", "model.safetensors"):
        (foreign / name).write_bytes((folders[1] / name).read_bytes())
    assert cautions(name="pets", refs=(folders[0], foreign)) == ("a was trained on digits, evaluated on pets.",)


def test_equal_files_are_the_same_weights_and_come_first_once(cautions, folders):
    same = "a and b have the same weights."
    assert cautions(same, "x", refs=(folders[0], folders[0]), name="digits", split="test") == (same, "x")
    assert cautions(refs=(folders[0], folders[0]), name="digits", split="test") == (same,)


@pytest.mark.parametrize(
    ("command", "models", "beginning"),
    [
        (
            "inspect",
            ("0",),
            "It was trained on images of digits train, so the accuracy here is not that on new ",
        ),
        ("matrix", ("0", "1", "copy"), "Model 1 and Model 3 have the same weights. Model 1, Model 2 and Model 3 were "),
        (
            "groups",
            ("--a", "0", "1", "--b", "copy", "other"),
            "a1 and b1 have the same weights. a2 and b2 have the same ",
        ),
    ],
)
def test_every_report_begins_with_its_cautions_and_its_json_has_them(
    run, folders, tmp_path, command, models, beginning
):
    for name, folder in (("copy", folders[0]), ("other", folders[1])):
        copytree(folder, tmp_path / name)
    places = {"0": folders[0], "1": folders[1], "copy": tmp_path / "copy", "other": tmp_path / "other"}
    images = ("--split", "train", "--max-examples", "40", "--json", tmp_path / "result.json")
    ran = run("zoo", command, *(places.get(model, model) for model in models), *images)
    assert " ".join(ran.stdout.split()).startswith(beginning)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["cautions"] == result["notes"][: len(result["cautions"])]
    assert " ".join(ran.stdout.split()).count(result["cautions"][0]) == 1


def test_the_report_begins_with_the_caution_and_says_it_once(run, folders):
    shown = run("compare", folders[0], folders[0], "--layers", "blocks", "--baseline", "none").stdout
    assert shown.startswith("a and b have the same weights. ")
    assert shown.count("same weights") == 1
