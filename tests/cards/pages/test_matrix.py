"""The page of several models: every pair in one map, and any two layer by layer."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cards.pages.matrix import matrix_html
from cards.tables.baseline import pairs_baseline_table
from cards.tables.matrix import ABOVE_UNTRAINED, pair_matrix_table, pair_measures, pairs_table
from compare.result.comparison import BaselineSide
from tests.support.browser import PHONE, picture, point_at, point_at_pair, pytestmark, wide  # noqa: F401
from tests.support.page_reader import Reader, unpack
from tests.support.pages import MEAN, several

# The marks of the browser's tests are not for all of this file.
IN_BROWSER, pytestmark = pytestmark, []  # noqa: F811
LAYERS = (20, 32, 20, 51)


def test_the_answer_comes_first_then_models_pairs_and_layers():
    text = Reader(matrix_html(several(LAYERS))).text
    parts = (
        "4 models: m0",
        "By CKA with the most similar layer, the most similar models are",
        "80 pets test images",
        "What each pair shares",
        "All pairs, most similar first",
        "Two models layer by layer",
        "Do it again",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_every_pair_keeps_its_numbers_and_its_layers():
    result = several(LAYERS)
    data = Reader(matrix_html(result)).data
    measures = {measure["name"]: measure for measure in data["pairs"]["measures"]}
    assert list(measures) == [
        "CKA with the most similar layer",
        "Cosine similarity with the most similar layer",
        "CKA above that with an untrained copy",
        "Two seeds of one architecture",
        "CKA with the most similar layer of the same stage",
        "CKA at the same depth",
        "Images predicted alike",
    ]
    cka, ceilings = (unpack(data["pairs"]["measures"][0][name]) for name in ("cells", "ceilings"))
    maps = data["maps"]
    assert np.isnan(np.diag(cka)).all()
    for number, pair in enumerate(result.pairs):
        assert cka[pair.a, pair.b] == cka[pair.b, pair.a] == pytest.approx(pair.best_match_cka, abs=0.00051)
        assert maps["choice"]["pairs"][number] == [pair.a, pair.b]
        for place, expected in (number, pair.cka), (len(result.pairs) + number, pair.cosine):
            cells = unpack(maps["matrices"][maps["views"][place]["cells"]["ab"]])
            assert np.abs(cells - np.array(expected)).max() <= 0.00051
    assert [view["name"] for view in maps["views"]] == ["CKA"] * 6 + ["cosine"] * 6
    above = measures["CKA above that with an untrained copy"]
    # The interval of this direction begins lower.
    assert (unpack(above["cells"])[0, 1], unpack(above["errors"])[0, 1]) == (0.2, 0.15)
    assert ceilings[0, 1] == pytest.approx(0.96)
    assert np.isnan(ceilings[1, 3])
    same_depth = unpack(measures["CKA at the same depth"]["cells"])
    assert np.argwhere(~np.isnan(same_depth)).tolist() == [[0, 2], [2, 0]]
    assert unpack(measures["Images predicted alike"]["errors"])[0, 1] == pytest.approx(0.04)


def test_the_table_of_pairs_has_the_columns_that_some_pair_has():
    result = several(LAYERS)
    table = pairs_table(result)
    assert table.headings[2:] == (
        *("best match", "standard error", "cosine", "above untrained"),
        *("two seeds", "same stage", "same depth", "alike %", "95 % interval"),
    )
    best = [float(row[2]) for row in table.rows]
    assert best == sorted(best, reverse=True)
    bare = dict.fromkeys(("best_match_cosine", "baseline", "ceiling", "stage_match_cka", "same_depth_cka"))
    table = pairs_table(replace(result, pairs=tuple(replace(pair, **bare) for pair in result.pairs)))
    assert table.headings[2:] == ("best match", "standard error", "alike %", "95 % interval")
    assert "Two seeds" not in table.caption
    assert "Same" not in table.caption


def test_each_direction_has_a_row_beside_untrained_copies():
    result = several(LAYERS)
    table = pairs_baseline_table(result)
    assert [row[0] for row in table.rows[:2] + table.rows[6:8]] == ["1 in 2", "1 in 3", "2 in 1", "3 in 1"]
    assert table.rows[6][1:] == ("0.80", "0.60", "+0.20", "+0.05 to +0.35")
    assert "Similarity beside untrained copies" in Reader(matrix_html(result)).text


def test_a_star_marks_what_is_not_above_an_untrained_copy():
    result = several((9, 9, 9))
    baseline = replace(result.pairs[1].baseline, b=BaselineSide(0.8, 0.79, 0.01, -0.02, 0.04))
    without = replace(result.pairs[2].baseline, a=None)
    pairs = (result.pairs[0], replace(result.pairs[1], baseline=baseline), replace(result.pairs[2], baseline=without))
    table = pair_matrix_table(replace(result, pairs=pairs), ABOVE_UNTRAINED)
    assert table.rows == (("1", "", "+0.20", "+0.01*"), ("2", "+0.20", "", "-"), ("3", "+0.01*", "-", ""))
    assert table.caption.startswith("95 % intervals are at most 0.30 wide. *: the interval is not above 0")
    assert "*" not in pair_matrix_table(result, ABOVE_UNTRAINED).caption


def test_older_files_without_cosine_and_baseline_have_a_page():
    result = several(LAYERS)
    older = {"cosine": None, "best_match_cosine": None, "best_match_cosine_standard_error": None, "baseline": None}
    pairs = tuple(replace(pair, **older) for pair in result.pairs)
    read = Reader(matrix_html(replace(result, pairs=pairs, within_cosine=None)))
    assert read.data["maps"]["choice"]["measures"] == ["CKA"]
    assert len(read.data["maps"]["views"]) == 6
    assert "Similarity beside untrained copies" not in read.text


def test_the_same_depth_of_different_layer_counts_in_older_files_is_not_shown():
    pairs = tuple(replace(pair, same_depth_cka=0.5) for pair in several((9, 12, 15)).pairs)
    result = replace(several((9, 12, 15)), pairs=pairs)
    assert "same depth" not in pairs_table(result).headings
    assert "CKA at the same depth" not in {measure.name for measure in pair_measures(result)}


def test_pairs_without_comparable_predictions_show_the_other_measures():
    result = several(LAYERS)
    unknown = {"agreement": None, "agreement_low": None, "agreement_high": None}
    pairs = tuple(replace(pair, **unknown, best_match_standard_error=None) for pair in result.pairs)
    read = Reader(matrix_html(replace(result, pairs=pairs)))
    forms = [".3f", ".3f", "+.2f", ".3f", ".3f", ".3f"]
    assert [measure["format"] for measure in read.data["pairs"]["measures"]] == forms
    assert np.isnan(unpack(read.data["pairs"]["measures"][0]["errors"])).all()
    assert "nan" not in read.text.lower().split()


@pytest.mark.slow
def test_of_many_pairs_evenly_spaced_layers_are_drawn_and_the_page_says_so():
    page = matrix_html(several((144,) * 30))
    read = Reader(page)
    assert len(page) < 8_000_000
    step = read.data["maps"]["choice"]["step"]
    assert step > 1
    assert f"every {step}th layer is drawn" in read.text or step < 4
    layers = read.data["maps"]["models"]["0"]["layers"]
    assert len(layers) == -(-144 // step)
    assert layers[1] == f"stage1.{step // 8}.conv{step % 8} ({step})"


@pytest.mark.slow
def test_of_far_too_many_pairs_only_their_numbers_are_left():
    read = Reader(page := matrix_html(several((9,) * 170)))
    assert len(page) < 8_000_000
    assert read.data["maps"] is None
    assert "The pairs of 170 models are too many for one page" in read.text
    assert "And 12,365 more, all in --json." in read.text


def test_hostile_names_are_shown_as_text():
    page = matrix_html(several((9,) * len(MEAN), MEAN))
    read = Reader(page)
    assert [tag for tag, _ in read.tags].count("script") == 3
    assert not {"a", "b"} & {tag for tag, _ in read.tags}
    assert "\u202e" not in page.decode()
    assert "x" * 1100 not in page.decode()
    for name in read.data["pairs"]["names"]:
        assert not re.search("<|\n", name)


class TestInABrowser:
    pytestmark = IN_BROWSER

    def test_a_cell_shows_both_models_value_error_and_ceiling(self, opened):  # noqa: F811
        page = opened(matrix_html(several(LAYERS)))
        text = point_at_pair(page, 1, 3)
        value = several(LAYERS).pair(1, 3).best_match_cka
        assert text == f"2 (m1)4 (m3)CKA with the most similar layer: {value:.3f} ± 0.012"
        assert page.locator("#pair").text_content().startswith("2 (m1), 4 (m3), CKA with the most")
        assert point_at_pair(page, 0, 2).endswith(" ± 0.012two seeds of one architecture: 0.960")
        assert page.evaluate("(({zmin, zmax}) => [zmin, zmax])(document.getElementById('pairs').data[0])") == [0, 1]
        page.select_option("#measure", label="Images predicted alike")
        page.wait_for_function("document.getElementById('pairs').data[0].hovertext[0][1].includes('alike')")
        value = several(LAYERS).pair(0, 1).agreement
        assert f"Images predicted alike: {100 * value:.1f} % ± 4.0 %" in point_at_pair(page, 0, 1)

    def test_a_click_and_the_choice_show_two_models_layer_by_layer(self, opened):  # noqa: F811
        page = opened(matrix_html(several(LAYERS)))
        before = picture(page, "ab")
        point_at_pair(page, 3, 1)
        page.mouse.down()
        page.mouse.up()
        page.wait_for_function("document.getElementById('title-bb').textContent === 'b: 4 m3'")
        page.wait_for_function("document.getElementById('map-ab').data[0].x.length === 51")
        assert picture(page, "ab") != before
        told = point_at(page, "ab", 16.5 / 51, 4.5 / 32)
        assert f"CKA {several(LAYERS).pair(1, 3).cka[4][16]:.3f}" in told
        # The same one twice gives the two in their places.
        page.select_option("#model-a", "3")
        page.wait_for_function("document.getElementById('model-b').value === '3'")
        assert page.locator("#model-a").input_value() == "1"
        page.select_option("#model-b", "0")
        page.wait_for_function("document.getElementById('title-aa').textContent === 'a: 1 m0'")
        assert page.locator("#title-bb").text_content() == "b: 2 m1"

    def test_the_heatmaps_show_cosine_on_request(self, opened):  # noqa: F811
        page = opened(matrix_html(several(LAYERS)))
        before = picture(page, "ab")
        page.select_option("#view", label="cosine")
        page.wait_for_function("document.getElementById('meaning').textContent.includes('scaled to length 1')")
        page.wait_for_function("document.getElementById('map-ab').data[0].hovertemplate.includes('cosine')")
        assert picture(page, "ab") != before
        assert f"cosine {several(LAYERS).pair(0, 1).cosine[4][16]:.3f}" in point_at(page, "ab", 16.5 / 32, 4.5 / 20)
        page.select_option("#model-b", "3")
        page.wait_for_function("document.getElementById('title-bb').textContent === 'b: 4 m3'")
        page.wait_for_function("document.getElementById('map-ab').layout.xaxis.range[1] === 50.5")
        assert f"cosine {several(LAYERS).pair(0, 3).cosine[4][16]:.3f}" in point_at(page, "ab", 16.5 / 51, 4.5 / 20)

    def test_headings_sort_numbers_as_numbers(self, opened):  # noqa: F811
        result = several((9,) * 12)
        unknown = replace(result.models[4], accuracy=None)
        page = opened(matrix_html(replace(result, models=(*result.models[:4], unknown, *result.models[5:]))))
        column = "[...document.querySelector('table.sortable').tBodies[0].rows].map((row) => row.cells[%d].textContent)"
        page.locator("th", has_text="parameters").first.locator("button").click()
        shown = page.evaluate(column % 3)
        assert shown == [f"{1000 * (i + 1):,}" for i in range(12)]
        page.keyboard.press("Enter")
        assert page.evaluate(column % 3) == shown[::-1]
        # What is not known comes last, either way.
        page.locator("th", has_text="accuracy").first.locator("button").click()
        for ends in (("88.90%", "90.00%"), ("90.00%", "88.90%")):
            accuracies = page.evaluate(column % 2)
            assert (accuracies[0], *accuracies[-2:]) == (*ends, "-")
            page.keyboard.press("Enter")
        page.locator("th", has_text="#").first.locator("button").click()
        assert page.evaluate(column % 0) == [str(i) for i in range(1, 13)]

    def test_the_keyboard_goes_from_pair_to_pair(self, opened):  # noqa: F811
        page = opened(matrix_html(several(LAYERS)))
        page.focus("#pairs")
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
            page.keyboard.press(key)
        page.wait_for_function("document.getElementById('title-bb').textContent === 'b: 3 m2'")
        assert page.locator("#title-aa").text_content() == "a: 2 m1"

    def test_a_phone_need_not_scroll_sideways_and_hostile_names_do_nothing(self, opened):  # noqa: F811
        page = opened(matrix_html(several((9,) * len(MEAN), MEAN)), PHONE, has_touch=True)
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        assert wide(page) <= 0
        for details in page.locator("details").all():
            details.locator("summary").click()
        assert wide(page) <= 0
        page.locator("#pairs .nsewdrag").first.scroll_into_view_if_needed()
        box = page.locator("#pairs .nsewdrag").first.bounding_box()
        page.touchscreen.tap(box["x"] + 0.95 * box["width"], box["y"] + 0.05 * box["height"])
        page.wait_for_function("document.getElementById('model-b').value === '9'")
        assert "<script>alert(1)</script>" in page.locator("#pair").text_content()
        assert page.locator("main a, main b, svg a, svg b").count() == 0
