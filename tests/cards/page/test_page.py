"""Pages of results: what is in them, and that nothing in them acts or asks for anything."""

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from cards.page.charts import class_chart
from cards.page.images import data_uri
from cards.page.maps import pack
from cards.pages.comparison import comparison_html
from cards.pages.inspection import inspection_html
from cards.words.legible import legible, plotly_text, printable
from compare.result.comparison import Baseline, BaselineSide
from compare.result.disagreement import ClassRow
from tests.support.page_reader import Reader, unpack
from tests.support.pages import IMAGES, deep_look, disagreeing, full, mean
from tests.support.samples import comparison, dominated, inspection

pytestmark = pytest.mark.slow


def test_the_answer_comes_first_and_everything_after_it_in_order():
    text = Reader(comparison_html(full(), IMAGES)).text
    order = (
        "shallow and deep",
        "With the most similar layer of the other model",
        "Same predictions 80.0%",
        "Images predicted differently",
        "Similarity of the layers",
        "Models and images",
        "Spans of similar layers",
        "recovered",
        "Images that dominate a: layers 16 to 29",
        "Predictions of a and b",
        "Confusions",
        "Accuracy by class",
        "Do it again",
        "compare models/shallow models/deep",
        "estimator",
    )
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_the_page_shows_the_baseline_below_the_maps():
    baseline = Baseline((0,), BaselineSide(0.78, 0.46, 0.32, 0.28, 0.36), None)
    text = Reader(comparison_html(replace(comparison(), baseline=baseline), {})).text
    assert "training explains 0.32 (0.28 to 0.36)" in text
    places = [
        text.index(part)
        for part in ("Similarity beside an untrained copy", "0.78 0.46 +0.32", "Spans of similar layers")
    ]
    assert places == sorted(places)
    assert "Similarity beside" not in Reader(comparison_html(comparison(), {})).text


def test_the_contents_bar_leads_to_every_section_and_each_id_is_unique():
    for page in (comparison_html(full(), IMAGES), inspection_html(deep_look(), IMAGES)):
        read = Reader(page)
        assert len(read.anchors) == len(read.contents) > 3
        assert set(read.anchors) <= set(read.ids)
        assert len(read.ids) == len(set(read.ids))
    assert "block-structure" in read.anchors


def test_the_page_of_one_model_shows_the_parts_it_has():
    text = Reader(inspection_html(deep_look(), IMAGES)).text
    for part in (
        "a block structure score of 0.39 (0.33 to 0.41 for thresholds 0.80 to 0.95)",
        "Which residual blocks it needs",
        "Linear probes",
        "image 17",
    ):
        assert part in text
    bare = Reader(inspection_html(inspection(block=False), {})).text
    for part in ("Which residual blocks", "Linear probes", "image 17", "dominate block structure"):
        assert part not in bare


def test_predictions_that_cannot_be_compared_leave_no_empty_sections():
    text = Reader(comparison_html(replace(comparison(), disagreement=None), {})).text
    assert "predictions are not compared" in text
    assert "Accuracy by class" not in text


def test_the_views_are_cka_then_measures_then_what_lies_inside():
    data = Reader(comparison_html(full(), {})).data["maps"]
    names = ["CKA", "CKA above chance", "cosine", "knn", "CKA without PC1", "PC1 alignment"]
    assert [view["name"] for view in data["views"]] == names
    assert [set(view["cells"]) for view in data["views"]] == [{"aa", "bb", "ab"}] * 4 + [{"aa", "bb"}] * 2
    assert data["models"]["b"]["blocks"] == [[16, 30]]


def test_dots_mark_the_cells_that_change_without_dominant_images():
    result = dominated()
    read = Reader(comparison_html(result, IMAGES))
    first, second = read.data["maps"]["views"][:2]
    assert sorted(map(tuple, first["dots"]["ab"])) == [(x, y) for x in range(16, 32) for y in range(10, 20)]
    assert first["meaning"].endswith("Dots mark cells that change by more than 0.1 without 4 images.")
    assert (second["name"], list(second["cells"]), second["dots"]) == ("CKA without 4 images", ["ab"], {})
    places = [read.text.index(part) for part in ("Images that dominate CKA", "25.0 % of PC1", "Do it again")]
    assert places == sorted(places)


def test_matrices_come_back_to_three_decimals_and_are_stored_once():
    result = full()
    data = Reader(comparison_html(result, {})).data["maps"]
    first, second = data["views"][:2]
    assert first["cells"]["aa"] == second["cells"]["aa"]
    for view, key, cells in ((first, "ab", result.cka.ab), (first, "bb", result.cka.bb)):
        assert np.abs(unpack(data["matrices"][view["cells"][key]]) - np.array(cells)).max() <= 0.00051
    hidden = unpack(data["matrices"][second["cells"]["ab"]])
    assert (np.isnan(hidden) == ~np.array(result.cka.null.above)).all()


def test_packing_keeps_negative_cells_and_those_without_a_value():
    for cells in (((-0.123, None), (1.0, 0.5)), ((1.0, None), (None, -0.001))):
        given = np.array(cells, dtype=float)
        found = unpack(pack(cells))
        assert (np.isnan(given) == np.isnan(found)).all()
        assert np.nanmax(abs(given - found)) < 1e-9


def test_387_layers_stay_under_8_megabytes():
    assert len(comparison_html(full(387), {})) < 8_000_000


def test_pages_make_no_network_requests():
    for page in (comparison_html(full(), IMAGES), inspection_html(deep_look(), IMAGES)):
        read = Reader(page)
        for tag, attributes in read.tags:
            for name in ("src", "href", "srcset", "action", "data", "poster"):
                if name in attributes:
                    assert (tag, name) == ("img", "src")
                    assert attributes[name].startswith("data:image/png;base64,")
        assert not re.search(r"url\(|@import", read.scripts[0])
        policy = next(attributes for tag, attributes in read.tags if "http-equiv" in attributes)
        assert "default-src 'none'" in policy["content"]
        assert page.count(b"plotly.js v") == 1


def test_hostile_names_are_shown_as_text():
    page = comparison_html(mean(), IMAGES)
    read = Reader(page)
    assert [tag for tag, _ in read.tags].count("script") == 3
    assert not {"a", "b"} & {tag for tag, _ in read.tags}
    assert "<script>alert(1)</script>" in read.text
    assert "{{ 7 * 7 }}" in read.text
    assert "\u202e" not in page.decode()
    assert "x" * 1100 not in page.decode()
    # Nothing after the data ended early.
    assert read.data["maps"]["models"]["a"]["layers"][2] == "[red] (2)"


def test_texts_for_plotly_hold_no_tags():
    def texts(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [text for part in value for text in texts(part)]
        return [value] if isinstance(value, str) else []

    data = Reader(comparison_html(mean(), IMAGES)).data
    for text in texts(data["charts"]) + texts(data["maps"]["models"]):
        assert set(re.findall(r"<[^>]*>?", text)) <= {"<br>", "<b>", "</b>"}, text
    assert not any("<b>bold" in text for text in texts(data["maps"]["models"]))


def test_names_are_cut_and_made_printable():
    assert printable("two\nlines\u202e") == "two?lines?"
    assert printable("x" * 200) == "x" * 100 + "..."
    assert plotly_text("<b>&") == "&lt;b&gt;&amp;"
    shown = legible(mean())
    assert max(map(len, (*shown.models.b.layers, *shown.dataset.classes, shown.models.b.name))) <= 103
    assert shown.cka is not None and shown.cka.ab == mean().cka.ab


def test_equal_results_give_equal_pages():
    assert comparison_html(full(), IMAGES) == comparison_html(full(), IMAGES)


def test_points_are_filled_where_a_class_differs_beyond_chance_after_correction():
    found = comparison().disagreement
    rows = [replace(row, p_value=0.01, p_adjusted=p) for row, p in zip(found.classes, (0.2, 0.04), strict=True)]
    (points,) = class_chart(replace(found, classes=tuple(rows))).figure["data"]
    by_difference = sorted(rows, key=lambda row: row.difference)
    assert points["marker"]["symbol"] == ["circle" if row.p_adjusted < 0.05 else "circle-open" for row in by_difference]


def test_of_many_classes_both_ends_are_drawn():
    found = comparison().disagreement
    rows = tuple(ClassRow(f"c{i}", 9, 0.5, 0.5, i / 1000, -0.1, 0.5, 1, 1, 0.5, 1.0) for i in range(1000))
    chart = class_chart(replace(found, classes=rows))
    names = chart.figure["layout"]["yaxis"]["ticktext"]
    assert len(names) == 60
    assert (names[0], names[-1]) == ("c0", "c999")
    assert "Of 1000 classes" in chart.caption
    assert class_chart(replace(found, classes=())) is None


@pytest.mark.parametrize(("shape", "side"), [((8, 8, 1), 8), ((300, 200, 3), 96), ((8, 8, 3), 8)])
def test_images_are_small_pngs(shape, side):
    image = np.arange(np.prod(shape)).reshape(shape) % 256
    uri = data_uri(image.tolist())
    read = imread(BytesIO(b64decode(uri.removeprefix("data:image/png;base64,"))))
    assert max(read.shape[:2]) == side


@pytest.mark.slow
def test_pages_are_written_from_the_command_line(run, folders, tmp_path):
    page = tmp_path / "page.html"
    for command in (("compare", *folders), ("zoo", "inspect", folders[0])):
        ran = run(*command, "--html", page)
        assert ran.code == 0, ran.stderr
        assert "360 digits test images" in Reader(page.read_bytes()).text


def test_only_earlier_pages_are_overwritten(run, folders, tmp_path):
    mine = tmp_path / "index.html"
    mine.write_text("<!DOCTYPE html>\n<title>my homepage</title>")
    ran = run("compare", *folders, "--html", mine)
    assert ran.code == 1
    assert "not an earlier result of this kind" in ran.stderr
    assert "my homepage" in mine.read_text()
    ran = run("compare", *folders, "--html", "x", "--png", "x")
    assert (ran.code, "--png and --html must be two files" in ran.stderr) == (2, True)


def test_images_show_their_file_or_row_and_escape_it():
    result, images = disagreeing()
    text = Reader(comparison_html(result, images)).text
    assert "3/<i>caf\N{REPLACEMENT CHARACTER}</i>.png" in text
    examples = tuple(replace(example, path=None, row=70 + example.index) for example in result.disagreement.examples)
    in_rows = replace(result, disagreement=replace(result.disagreement, examples=examples))
    assert "row 73" in Reader(comparison_html(in_rows, images)).text


def test_cautions_begin_the_summary_and_are_not_repeated_as_notes():
    caution = "b was trained on " + 150 * "x" + ", evaluated on digits."
    page = Reader(comparison_html(replace(comparison(), cautions=(caution,), notes=(caution, "a note")), {}))
    assert page.text.index(caution) < page.text.index("Same predictions on")
    assert page.text.count("evaluated on digits") == 1
    assert "a note" in page.text
