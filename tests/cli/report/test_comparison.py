from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from cards.words.verdict import verdict
from cli.report.comparison import Report
from tests.support.samples import comparison, dominated

GOLDEN = Path(__file__).parent / "golden"


def render(result, width=80, full=True, **options):
    console = Console(file=StringIO(), width=width, **{"color_system": None} | options)
    console.print(Report(result, full=full))
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize(("name", "full"), [("report", False), ("full", True)])
def test_the_report_equals_the_golden_file(name, full, width):
    assert render(comparison(), width, full) == (GOLDEN / f"{name}-{width}.txt").read_text(encoding="utf-8")


def test_the_default_report_is_short():
    assert len(render(comparison(), full=False).splitlines()) <= 60


@pytest.mark.parametrize("width", [40, 60, 80, 110, 160, 300])
def test_no_line_is_wider_than_the_console(width):
    assert max(map(len, render(comparison(), width).splitlines())) <= width


@pytest.mark.parametrize(
    ("correction", "heading", "field"), [("holm", "p (Holm)", "p_adjusted"), ("bh", "p (BH)", "q_value")]
)
def test_the_classes_have_the_p_value_that_was_chosen_unless_all_are_1(correction, heading, field):
    found = comparison().disagreement

    def report(value):
        rows = tuple(replace(row, **{"p_adjusted": 0.5, "q_value": 0.5, field: value}) for row in found.classes)
        console = Console(file=StringIO(), width=160)
        console.print(Report(replace(comparison(), disagreement=replace(found, classes=rows)), correction))
        return console.file.getvalue()

    assert heading in report(0.5)
    assert heading not in report(1.0)


def test_the_map_without_dominant_images_and_a_table_of_them_are_shown():
    text = render(dominated(), 160)
    for part in (
        "CKA without 4 images",
        "•",
        "Dots mark cells that change by more than 0.1",
        "Images that dominate CKA",
    ):
        assert part in text
    assert max(map(len, render(dominated(), 110).splitlines())) <= 110


def test_names_cannot_smuggle_markup_or_control_codes():
    text = render(comparison("[red]me[/red]/x[main]", "b\x1b[2J", ("[bold]cat", "dog\x1b]8;;evil\x07")))
    assert "[red]me[/red]/x[main]" in text
    assert "[bold]cat" in text
    assert "\x1b" not in text
    assert "\x07" not in text


def test_notes_stand_right_below_the_verdict():
    text = render(comparison(notes=("b: stem.0 does not vary",)))
    assert text.index("Note: b: stem.0 does not vary") < text.index("Models, on")


def test_models_with_long_names_are_a_and_b():
    first, second = "google/a-model-with-a-long-name", "microsoft/another-model"
    text = render(comparison(first, second), 160, full=False)
    assert f"{first} (a) has 85.0%, {second} (b) 70.0%" in " ".join(text.split())
    assert "a is 15.0 points better" in text
    assert f"a  {first}" in text
    for heading in ("a (up) with b (across)", "a %", "only b", "b predicts"):
        assert heading in text


def test_the_legend_names_block_structure_only_where_it_is_marked():
    result = comparison()
    without = replace(result, block_structure=replace(result.block_structure, b=()))
    assert "┃ block structure" in render(result, full=False)
    assert "┃ block structure" not in render(without, full=False)


def test_uncertainty_is_shown():
    assert "Standard error of a cell of a with b: 0.010 in the median, 0.010 at most." in render(comparison(), 160)


def test_verdict_names_block_structure_the_better_model_and_the_classes():
    text = verdict(comparison())
    best_of_b = np.max(comparison().cka.ab, axis=0).mean()
    assert "layers of shallow have a CKA of 0.90 on average (0.90 to 0.90)" in text
    assert f"layers of deep have {best_of_b:.2f} (0.24 to 0.90)" in text
    assert "shallow has no block structure." in text
    assert "deep has block structure in 44% of its layers (stage2.16 to stage2.29)." in text
    assert "shallow is 15.0 points better (95 % interval 5.0 to 25." in text
    assert "With deep in place of shallow, class cat gets significantly worse." in text
    assert "Averaging them does not help significantly." in text
