"""Texts of pictures: names from anywhere are drawn, as far as there are fonts, without warnings and control codes."""

from dataclasses import fields, is_dataclass, replace
from xml.etree import ElementTree

import pytest
from matplotlib import rc_context
from matplotlib.text import Text

from cards.pictures import figure
from cards.pictures.figure import ResultFigure, image_bytes
from cards.pictures.study import maps_image
from cards.results.show import as_figure
from compare.groups.groups import compare_groups
from tests.support.networks import Net, stream
from tests.support.pages import deep_look, several
from tests.support.samples import comparison
from tests.support.studies import reproduction, study

# Control codes, bidirectional marks, a surrogate, a formula that is none, and characters that few fonts have.
STRANGE = "\x1b[31m\x00\x9b\n\u202e\u200f\ufeff\ud800$\\frac$<!-- --> 日本語 🦄 ไทย مرحبا é"
NAMES = ("name", "classes", "layers", "stage", "statement", "verdict", "quantity", "label", "series", "subset")


def with_strange_names(value):
    """A result with a strange start of all names."""
    if type(value) is tuple:
        return tuple(map(with_strange_names, value))
    if not is_dataclass(value):
        return value
    changed = {field.name: with_strange_names(getattr(value, field.name)) for field in fields(value)}
    for name in changed.keys() & set(NAMES):
        text = changed[name]
        changed[name] = tuple(map(strange, text)) if isinstance(text, tuple) else strange(text)
    return replace(value, **changed)


def strange(text):
    return f"{STRANGE}{text}" if isinstance(text, str) else text


def texts(drawn):
    return [text.get_text() for text in drawn.findobj(Text)]


KINDS = {
    "comparison": comparison,
    "inspection": deep_look,
    "matrix": lambda: several([20, 30]),
    "groups": lambda: compare_groups([Net(0), Net(1)], [Net(2), Net(3)], stream()),
    "study": lambda: reproduction(study()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_strange_names_are_drawn_without_warnings(kind):
    images = {17: [[[0], [255]], [[255], [0]]]} if kind == "inspection" else None
    drawn = as_figure(with_strange_names(KINDS[kind]()), images)
    assert image_bytes(drawn, resolution=40).startswith(b"\x89PNG")
    assert ElementTree.fromstring(image_bytes(drawn, "svg")) is not None
    shown = "".join(texts(drawn))
    assert "?[31m??" in shown and "مرحبا é" in shown
    assert all(character == "\n" or character.isprintable() for character in shown)


def test_maps_of_a_study_with_strange_names_are_drawn_without_warnings():
    ElementTree.fromstring(maps_image(with_strange_names(reproduction(study())), "svg"))


def test_texts_are_cleaned_too_if_somebody_else_saves_the_figure(tmp_path):
    drawn = as_figure(comparison(name_a=STRANGE))
    drawn.savefig(tmp_path / "x.svg")
    ElementTree.parse(tmp_path / "x.svg")


def test_installed_fonts_draw_what_the_first_font_lacks(monkeypatch):
    # cmr10 has Latin letters without accents alone.
    def shown(fonts):
        monkeypatch.setattr(figure, "WIDE_FONTS", fonts)
        figure._families.cache_clear()
        drawn = ResultFigure(figsize=(1, 1))
        drawn.text(0, 0.5, "é \u0416")
        with rc_context({"font.family": ["cmr10"]}):
            drawn.text(0, 0, "é \u0416")
            image_bytes(drawn)
        return texts(drawn)[-1]

    assert shown(()) == "? ?"
    assert shown(("DejaVu Sans", "No Such Font")) == "é \u0416"
    figure._families.cache_clear()
