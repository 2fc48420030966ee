"""Images without labels: a dash stands for their class in the terminal, the page, the picture, and the CSV."""

from dataclasses import replace

import pytest
from matplotlib.axes import Axes

from cards.pages.inspection import inspection_html
from cards.pictures.figure import image_bytes
from cards.pictures.inspection import inspection_figure
from cards.words.csv import disagreements_csv
from cli.report.inspection import InspectionReport
from cli.terminal.output import show
from compare.result.inspection import Inspection
from tests.support.page_reader import Reader
from tests.support.samples import comparison, inspection

IMAGES = {17: [[[0], [255]], [[255], [0]]]}
LAST_CLASS = inspection().dataset.classes[-1]


@pytest.fixture
def unlabelled():
    result = inspection()
    (block,) = result.inside.blocks
    examples = tuple(replace(example, label=None) for example in block.dominant.examples)
    block = replace(block, dominant=replace(block.dominant, examples=examples))
    return replace(result, inside=replace(result.inside, blocks=(block,)))


def test_the_report_shows_a_dash(unlabelled, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    show(InspectionReport(unlabelled, ("dominant",)))
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("17 "))
    assert row.split() == ["17", "-", "60.0%", "50.0%"]


def test_the_page_shows_a_dash(unlabelled):
    text = Reader(inspection_html(unlabelled, IMAGES)).text
    assert "- 60.0 % of PC1" in " ".join(text.split())
    assert LAST_CLASS not in text


def test_the_picture_shows_a_dash(unlabelled, monkeypatch):
    titles = []
    draw = Axes.set_title
    monkeypatch.setattr(Axes, "set_title", lambda axes, title, **how: titles.append(title) or draw(axes, title, **how))
    image_bytes(inspection_figure(unlabelled, IMAGES))
    assert "- (60%)" in titles


def test_the_csv_leaves_the_class_empty():
    result = comparison()
    examples = tuple(replace(example, label=None) for example in result.disagreement.examples)
    text = disagreements_csv(replace(result, disagreement=replace(result.disagreement, examples=examples)))
    header, row, *_ = (line.split(",") for line in text.splitlines())
    assert row[header.index("label")] == ""


def test_json_keeps_the_missing_label(unlabelled):
    assert Inspection.from_json(unlabelled.to_json()).to_json() == unlabelled.to_json()
