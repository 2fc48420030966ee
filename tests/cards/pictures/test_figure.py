"""Texts of pictures: names from anywhere are drawn, as far as there are fonts, without warnings and control codes."""

from xml.etree import ElementTree

import pytest
from matplotlib import rc_context
from matplotlib.text import Text

from cards.pictures import figure
from cards.pictures.figure import ResultFigure, image_bytes
from cards.pictures.study import maps_image
from cards.results.show import as_figure
from tests.support.samples import comparison
from tests.support.strange_names import KINDS, STRANGE, with_strange_names
from tests.support.studies import reproduction, study

pytestmark = pytest.mark.slow


def texts(drawn):
    return [text.get_text() for text in drawn.findobj(Text)]


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
