"""What a reader must know before the answer, from the files of the models."""

from dataclasses import replace

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
        result = with_cautions(result, [find_model(str(ref)) for ref in refs])
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


def test_the_report_begins_with_the_caution_and_says_it_once(run, folders):
    shown = run("compare", folders[0], folders[0], "--layers", "blocks", "--baseline", "none").stdout
    assert shown.startswith("a and b have the same weights. ")
    assert shown.count("same weights") == 1
