"""Neutral tables: cut by rows and columns, rendered by Rich and as HTML."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from cards.page.page import Page, folded, render, section
from cards.tables.baseline import baseline_table
from cards.tables.predictions import classes_table, disagreed_table
from cards.tables.structure import dominant_table, left_out_table, spans_table, thresholds_table
from cards.tables.table import Link, Styled, Table, by_model
from cli.report.table import rich_table
from compare.result.comparison import Baseline, BaselineSide
from tests.support.page_reader import Reader
from tests.support.samples import comparison, dominated, inspection

ROWS = (("a", "cat", "3"), ("b", Styled("dog", "wrong"), "14"), ("b", Link("fox", "fox.html"), "1"))
TABLE = Table("Animals", ("", "name", "images"), ROWS, 2, "Counts of [images].")


def shown(table, width=80, **options):
    console = Console(file=StringIO(), width=width, **{"color_system": None} | options)
    console.print(rich_table(table))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def html(*tables):
    return Reader(render(Page("title", "summary", (), (section("section", *tables),))))


def test_the_terminal_shows_title_headings_cells_and_caption():
    assert shown(TABLE) == [
        "Animals",
        "   name  images",
        "a  cat        3",
        "b  dog       14",
        "b  fox        1",
        "Counts of [images].",
    ]


def test_a_page_shows_the_same_and_links():
    page = html(TABLE)
    for text in ("Animals", "name", "images", "cat", "dog", "fox", "Counts of [images]."):
        assert text in page.text
    assert ("a", {"href": "fox.html"}) in page.tags
    assert ("span", {"class": "wrong"}) in page.tags


def test_cells_cannot_smuggle_markup_or_control_codes():
    hostile = Table("[red]", ("[b]",), (("[link=x]y[/link]\x1b[2J",), (Styled("<script>", "wrong"),)), 1, "[/red]")
    assert shown(hostile) == ["[red]", "[b]", "[link=x]y[/link]?[2J", "<script>", "[/red]"]
    assert "<script>" in html(hostile).text


def test_a_table_without_headings_has_no_heading_row():
    bare = Table("", ("", ""), (("a", "b"),), 2)
    assert shown(bare) == ["a  b"]
    assert "th" not in {tag for tag, _ in html(bare).tags}


def test_rows_and_columns_are_cut():
    table = TABLE.head(1).drop("name")
    assert (table.headings, table.rows, table.text_columns) == (("", "images"), (("a", "3"),), 1)
    assert table.caption == "Counts of [images]. And 2 more, all in --json."
    assert TABLE.head(3) is TABLE
    assert folded(TABLE, 2).rows == ROWS[:2]
    assert folded(None) is None


def test_the_column_of_models_is_left_out_for_a_single_model():
    assert by_model(TABLE) is TABLE
    one = by_model(Table("", ("", "name"), (("", "cat"),), 2))
    assert (one.headings, one.rows, one.text_columns) == (("name",), (("cat",),), 1)
    assert by_model(Table("", ("", "name"), ())) is None


def test_classes_are_sorted_by_adjusted_p_then_by_difference():
    row = comparison().disagreement.classes[0]

    def replaced(name, p_adjusted, q_value, difference):
        return replace(row, name=name, p_adjusted=p_adjusted, q_value=q_value, difference=difference, p_value=0.01)

    rows = (replaced("x", 1.0, 0.2, 0.1), replaced("y", 1.0, 0.3, -0.4), replaced("z", 0.5, 0.5, 0.0))
    rows += (replaced("none", None, None, None),)
    assert [cells[0] for cells in classes_table(rows).rows] == ["z", "y", "x", "none"]
    assert [cells[0] for cells in classes_table(rows, "bh").rows] == ["x", "y", "z", "none"]


def test_block_structure_stands_out():
    spans = spans_table({"a": (), "b": comparison().block_structure.b})
    assert spans.rows[0][3] == Styled("block structure", "strong")
    assert "blocks" not in spans_table({"b": comparison().block_structure.b}, residual_blocks=False).headings
    assert any("\x1b[1;36m" in line for line in shown(spans, color_system="standard", force_terminal=True))


def test_only_spans_that_count_are_shown():
    (span,) = (span for span in comparison().block_structure.b if span.kind == "block structure")
    of_outputs = replace(span, layers="blocks", residual_blocks=9)
    assert spans_table({"": (span,)}).caption.endswith("two of these layers.")
    table = spans_table({"": (replace(span, counts=False), of_outputs)})
    assert [row[3] for row in table.rows] == ["9"]
    assert "the outputs of these blocks alone" in table.caption


def test_block_structure_by_threshold_has_a_column_for_each():
    models = {"a": inspection(block=False).inside, "b": inspection().inside}
    assert thresholds_table({"": inspection().inside}).headings == ("threshold", "0.8", "0.85", "0.95")
    assert thresholds_table({"": inspection().inside}).rows[0] == ("score", "0.41", "0.39", "0.33")
    assert thresholds_table({"": inspection().inside}).rows[1] == ("blocks", "1", "1", "2")
    assert thresholds_table({"": inspection(block=False).inside}) is None
    assert [row[:3] for row in thresholds_table(models).rows[:2]] == [("a", "score", "0.00"), ("a", "blocks", "0")]


def test_images_that_dominate_a_block_have_their_classes():
    inside = inspection().inside
    table = dominant_table(inside.blocks[0], ("cat", "dog"))
    assert table.rows == (("17", "cat", "60.0%", "50.0%"),)
    assert table.caption.startswith("The top 1 hold 60%")


def test_images_that_dominate_cka_are_shown_if_it_changes_without_them():
    without = dominated().cka.without_dominant
    table = left_out_table(without, ("cat", "dog"))
    assert table.rows == (("17", "cat", "25.0%", "12.5%"),)
    assert table.caption.startswith("The most dominant of the 4 images left out, one in 20 of every minibatch.")
    unchanged = tuple((False,) * 32 for _ in range(20))
    assert left_out_table(replace(without, changed=unchanged), ("cat", "dog")) is None
    assert left_out_table(None, ("cat", "dog")) is None


def test_the_baseline_has_a_row_for_each_model_that_has_one():
    a, b = BaselineSide(0.78, 0.46, 0.32, 0.28, 0.36), BaselineSide(0.5, 0.6, -0.1, None, None)
    assert baseline_table(Baseline((0,), a, b)).rows == (
        ("a in b", "0.78", "0.46", "+0.32", "+0.28 to +0.36"),
        ("b in a", "0.50", "0.60", "-0.10", "-"),
    )
    assert len(baseline_table(Baseline((0,), None, b)).rows) == 1
    assert baseline_table(None) is None


def test_images_have_a_column_of_files_or_of_rows_or_neither():
    disagreement = comparison().disagreement
    classes, rest = ("cat", "dog"), ("17", "cat", "cat (99%, right)", Styled("dog (88%, wrong)", "wrong"))

    def table(**source):
        examples = tuple(replace(example, **source) for example in disagreement.examples)
        return disagreed_table(replace(disagreement, examples=examples), classes)

    assert table().rows == (rest,)
    in_file = table(path="cat/1.png")
    assert (in_file.headings[-1], in_file.rows, in_file.text_columns) == ("file", ((*rest, "cat/1.png"),), 5)
    in_row = table(row=0)
    assert (in_row.headings[-1], in_row.rows, in_row.text_columns) == ("row", ((*rest, "0"),), 4)
    without = dominated().cka.without_dominant
    table = left_out_table(replace(without, examples=(replace(without.examples[0], row=3),)), classes)
    assert (table.headings, table.rows) == (
        ("image", "class", "row", "PC1", "norm"),
        (("17", "cat", "3", "25.0%", "12.5%"),),
    )
