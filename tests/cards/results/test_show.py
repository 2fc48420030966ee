"""What results show in Python and in notebooks, of every kind."""

import sys
from base64 import b64decode
from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pytest

import compare
from cards.pages.comparison import comparison_html
from cards.pages.inspection import inspection_html
from cards.pictures.figure import image_bytes
from cards.pictures.inspection import inspection_figure
from cards.results.displays import DISPLAYS
from compare.groups.groups import compare_groups
from compare.result.base import JsonResult
from compare.result.models import DatasetResult
from compare.result.study import Reproduction
from compare.study.claims import judge
from tests.support.networks import Net, stream
from tests.support.pages import IMAGES, MEAN, disagreeing, mean, several
from tests.support.samples import comparison, inspection
from tests.support.studies import study

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"


def groups():
    return compare_groups([Net(0), Net(1)], [Net(2), Net(3)], stream())


def reproduction():
    of, dataset = study(), DatasetResult("digits", "test", 360, ("0", "1"), None)
    empty = {"agreements": (), "errors": None, "heatmaps": (), "settings": {}, "versions": {}, "notes": ()}
    return Reproduction(dataset=dataset, claims=judge(of)[:3], networks=of.networks, **empty)


def disagreement(labels=(0, 1, 1, 1)):
    return compare.class_disagreement([0, 1, 1, 0], [0, 1, 0, 0], labels, ["cat", "dog"])


EACH = {
    "Comparison": (comparison, "of shallow (a) and deep (b)\non 80 pets test images\nSame predictions on 80.0% of 80"),
    "Inspection": (inspection, "of deep\non 80 pets test images\nIt has a block structure score of 0.39"),
    "ModelMatrix": (
        lambda: several([20, 30]),
        "of 2 models: 1 m0, 2 m1\non 80 pets test images\nWith the most similar",
    ),
    "GroupComparison": (
        groups,
        "of Net, ... (a, 2 seeds) and Net, ... (b, 2 seeds)\non 57 images\na1 is right on 28.1%",
    ),
    "Reproduction": (reproduction, "of 3 claims with 72 networks\non 360 digits test images\n72 networks of 6"),
    "Disagreement": (
        disagreement,
        "of a and b\non 4 images\nSame predictions on 75.0% of 4 images. a has 75.0%, b 50.0%",
    ),
}


class Checked(HTMLParser):
    """HTML with its tags, texts, and pictures; fails on a script, an event handler, or an address outside of it."""

    def __init__(self, html):
        super().__init__()
        self.pictures, self.texts, self.open = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in {"div", "p", "strong", "img", "details", "summary", "ul", "li", "small", "code"} | TABLE
        if tag == "img":
            (kind, data) = dict(attributes)["src"].split(",")
            assert kind == "data:image/png;base64"
            self.pictures.append(b64decode(data))
        else:
            self.open.append(tag)
        assert {name for name, _ in attributes} <= {"style", "alt", "src"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)


TABLE = {"table", "caption", "tbody", "tr", "td"}


@pytest.mark.parametrize("name", EACH)
def test_a_result_is_three_lines_of_text(name):
    make, beginning = EACH[name]
    text = repr(make())
    assert text.startswith(f"{name} {beginning}")
    lines = text.split("\n")
    assert len(lines) == 3
    assert max(map(len, lines)) <= 120


def test_untrusted_names_cannot_break_the_lines_or_the_html():
    result = mean()
    assert repr(result).count("\n") == 2
    assert all(line.isprintable() for line in repr(result).split("\n"))
    html = Checked(result._repr_html_())
    assert f"Comparison of {MEAN[0]} (a)" in "".join(html.texts)


@pytest.mark.parametrize("name", EACH)
def test_html_has_the_verdict_one_picture_and_the_names_of_the_frames(name):
    result = EACH[name][0]()
    html = Checked(result._repr_html_())
    text = " ".join(html.texts)
    assert repr(result).split("\n")[0].removesuffix(" ...") in text
    assert [picture[:8] for picture in html.pictures] == ([] if name == "Disagreement" else [PNG])
    for what in (eval(part) for part in text.split("More: ")[1].replace(".to_frame", "").split(", ")):
        assert len(result.to_frame(what).columns) > 2


def test_html_shows_notes_and_cautions():
    result = replace(
        comparison(), cautions=("a is near chance.",), notes=("a is near chance.", "Layers were left out.")
    )
    text = " ".join(Checked(result._repr_html_()).texts)
    assert text.count("a is near chance.") == 1
    assert "Notes (1) " in text
    assert repr(result).split("\n")[2].startswith("a is near chance. Same predictions")


def test_predictions_without_labels_or_of_other_classes_are_said_to_be_so():
    assert repr(disagreement(None)).split("\n")[1:] == [
        "on the images",
        "Same predictions on 75.0% of the images. It is unknown which model is right, because the images have no "
        "labels.",
    ]
    assert "Their predictions are not compared" in repr(replace(comparison(), disagreement=None))


def test_the_picture_of_very_many_models_is_left_to_plot():
    assert Checked(several([3] * 9)._repr_html_()).pictures == []


@pytest.mark.parametrize("name", EACH)
def test_figures_are_not_registered_in_pyplot(name):
    result = EACH[name][0]()
    if name == "Disagreement":
        assert not hasattr(result, "plot")
        return
    from matplotlib import pyplot

    figure = result.plot()
    assert figure._repr_png_()[:8] == PNG
    assert pyplot.get_fignums() == []


def test_figure_and_page_are_those_of_the_command_line(tmp_path):
    result = inspection()
    assert result.plot(IMAGES)._repr_png_() == image_bytes(inspection_figure(result, IMAGES))
    assert len(result.plot(IMAGES).subfigs) == len(result.plot().subfigs) + 1
    result.save_html(tmp_path / "page.html", IMAGES)
    assert (tmp_path / "page.html").read_bytes() == inspection_html(result, IMAGES)
    result, images = disagreeing()
    result.save_html(str(tmp_path / "page.html"), {index: np.array(image, np.uint8) for index, image in images.items()})
    assert (tmp_path / "page.html").read_bytes() == comparison_html(result, images)


@pytest.mark.parametrize("name", EACH)
def test_every_kind_writes_a_page_without_images(name, tmp_path):
    if name != "Disagreement":
        EACH[name][0]().save_html(tmp_path / "page.html")
        assert (tmp_path / "page.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_unknown_frames_are_refused():
    with pytest.raises(compare.CompareError, match="expected one of layers, images, got 'classes'"):
        inspection().to_frame("classes")


def test_a_missing_pandas_is_an_error_of_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(compare.CompareError, match="to_frame needs pandas, which is not installed; run `pip install"):
        comparison().to_frame("classes")


def test_every_result_has_its_display():
    assert set(DISPLAYS) == set(JsonResult.__subclasses__())


@pytest.mark.parametrize("name", EACH)
def test_methods_add_no_fields_to_the_json(name):
    result = EACH[name][0]()
    assert not {"plot", "to_frame", "save_html"} & {field.name for field in fields(result)}
    if name != "Disagreement":
        assert type(result).from_json(result.to_json()).to_json() == result.to_json()
