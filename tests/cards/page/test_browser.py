"""Pages in a real browser, from disk: quiet, alone, and usable with mouse, keyboard and phone."""

import re

import numpy as np
import pytest

from cards.pages.comparison import comparison_html
from cards.pages.inspection import inspection_html
from tests.support.browser import PHONE, picture, point_at, pytestmark, wide  # noqa: F401
from tests.support.pages import IMAGES, deep_look, disagreeing, full, mean
from tests.support.samples import dominated


def test_a_cell_tells_both_layers_and_its_value(opened):
    page = opened(comparison_html(full(), IMAGES))
    told = point_at(page, "ab", 16.5 / 32, 4.5 / 20)
    for part in ("stage1.4 (4)", "stage2.16 (16)", f"CKA {full().cka.ab[4][16]:.3f} ± 0.010"):
        assert part in told
    assert "stage1.4 (4)" in page.locator("#cell").text_content()
    # The same layers are marked in the other maps.
    page.wait_for_selector("#cross-bb path[d*='M16,-0.5']", state="attached")
    page.wait_for_selector("#cross-aa path[d*='M4,-0.5']", state="attached")


def test_dots_lie_on_the_cells_that_change_and_in_that_view_only(opened):
    page = opened(comparison_html(dominated(), IMAGES))
    white = "[...document.querySelectorAll('#map-ab .shapelayer path')].filter((path) => path.style.fill == "
    white += "'rgb(255, 255, 255)').map((path) => path.getBoundingClientRect()).map(({ left, top, right, bottom }) => "
    white += "[left, top, right, bottom])"
    left, top, right, bottom = page.evaluate(white)[0]
    box = page.locator("#map-ab .nsewdrag").first.bounding_box()
    across = [(x - box["x"]) / box["width"] for x in (left, right)]
    down = [(y - box["y"]) / box["height"] for y in (top, bottom)]
    assert across == pytest.approx([16.3 / 32, 31.7 / 32], abs=0.01)
    assert down == pytest.approx([0.3 / 20, 9.7 / 20], abs=0.01)
    page.select_option("#view", label="CKA without 4 images")
    page.wait_for_selector("#nothing-aa", state="visible")
    page.wait_for_function(f"{white}.length === 0")


def test_the_switch_changes_what_is_shown(opened):
    page = opened(comparison_html(full(), IMAGES))
    before = picture(page, "bb")
    page.select_option("#view", label="PC1 alignment")
    page.wait_for_selector("#nothing-ab", state="visible")
    assert picture(page, "bb") != before
    assert "PC1 alignment" in point_at(page, "bb", 0.5, 0.5)
    page.select_option("#view", label="CKA")
    page.wait_for_selector("#map-ab", state="visible")
    page.wait_for_function("document.getElementById('nothing-ab').hidden")
    assert picture(page, "bb") == before


def test_zooming_into_one_map_zooms_into_all(opened):
    page = opened(comparison_html(full(), IMAGES))
    area = page.locator("#map-ab .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    for share, step in ((0.25, page.mouse.down), (0.75, page.mouse.up)):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"], steps=5)
        step()
    ranges = "['aa', 'bb', 'ab'].map((key) => {const {xaxis, yaxis} = document.getElementById('map-' + key).layout; "
    ranges += "return [xaxis.range, yaxis.range].map((range) => range.map(Math.round))})"
    page.wait_for_function("document.getElementById('map-aa').layout.xaxis.range[0] > 3")
    a, b = [5, 15], [8, 24]
    page.wait_for_timeout(300)
    wanted = [[a, a], [b, b], [b, a]]
    assert np.abs(np.array(page.evaluate(ranges)) - np.array(wanted)).max() <= 1
    # Another view shows the same part.
    page.select_option("#view", label="knn")
    page.wait_for_function("document.getElementById('map-ab').data[0].hovertemplate.includes('knn')")
    assert np.abs(np.array(page.evaluate(ranges)) - np.array(wanted)).max() <= 1
    page.click("#reset")
    page.wait_for_function("document.getElementById('map-bb').layout.xaxis.range[1] > 31")
    assert page.evaluate(ranges)[2][0][1] in (31, 32)


def test_the_keyboard_reaches_everything(opened):
    page = opened(comparison_html(full(), IMAGES))
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        if reached[-1] == "view":
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none"
            page.keyboard.press("ArrowDown")
            page.wait_for_function("document.getElementById('view').value === '1'")
        if reached[-1] == "map-ab":
            page.keyboard.press("ArrowUp")
            page.keyboard.press("ArrowRight")
            page.wait_for_function("document.getElementById('cell').textContent.includes('stem.1 (1)')")
    assert {"theme", "view", "reset", "map-aa", "map-bb", "map-ab"} <= set(reached)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_the_toggle(opened, scheme):
    page = opened(comparison_html(full(), IMAGES), color_scheme=scheme)
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "document.querySelector('#map-aa .xtick text').style.fill"
    before, text = page.evaluate(ground), page.evaluate(ink)
    assert before == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 23, 28)"}[scheme]
    page.click("#theme")
    page.wait_for_function(f"{ink} !== '{text}'")
    assert page.evaluate(ground) != before
    page.click("#theme")
    assert page.evaluate(ground) == before


@pytest.mark.parametrize("make", [comparison_html, inspection_html], ids=["compare", "inspect"])
def test_a_phone_need_not_scroll_sideways(opened, make):
    page = opened(make(full() if make is comparison_html else deep_look(), IMAGES), PHONE, has_touch=True)
    assert wide(page) <= 0
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert wide(page) <= 0


def test_hostile_names_do_nothing(opened):
    page = opened(comparison_html(mean(), IMAGES), PHONE)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert wide(page) <= 0
    assert page.locator("main a, main b, svg a, svg b").count() == 0
    assert "<script>alert(1)</script>" in page.locator("h1").text_content()
    told = point_at(page, "aa", 6.5 / 20, 0.5 / 20)
    assert "<b>bold</b> (6)" in told
    assert "<script>alert(1)</script> (0)" in told


def test_printed_pages_are_light_and_fit_the_paper(opened):
    page = opened(comparison_html(full(), IMAGES), color_scheme="dark")
    widths = "[...document.querySelectorAll('.main-svg')].map((svg) => svg.getBoundingClientRect().width)"
    before = page.evaluate(widths)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert max(page.evaluate(widths)) <= 680 < max(before)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(widths) == pytest.approx(before, abs=1)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 28)"


def test_387_layers_answer_within_seconds(opened):
    page = opened(comparison_html(full(387), {}))
    took = page.evaluate(
        """async () => {
            const before = performance.now(), select = document.getElementById("view");
            select.value = [...select.options].find((option) => option.text === "knn").value;
            select.dispatchEvent(new Event("change"));
            const isShown = () => document.getElementById("map-ab").data[0].hovertemplate.includes("knn");
            while (!isShown() && performance.now() - before < 10_000)
                await new Promise((resume) => setTimeout(resume, 10));
            return performance.now() - before;
        }"""
    )
    assert took < 10_000
    assert "knn" in point_at(page, "ab", 0.3, 0.6)


def test_a_click_shows_only_the_images_of_a_class_a_right_model_or_a_confidence(opened):
    result, images = disagreeing()
    page = opened(comparison_html(result, images))
    gallery = page.locator(".gallery").first

    def shown():
        return [
            int(text.split()[1].rstrip(":"))
            for text in gallery.locator("li:visible span:first-of-type").all_inner_texts()
        ]

    def click(group, name):
        page.locator(f".filters[aria-label='{group}'] button", has_text=re.compile(f"^{name}$")).click()

    assert shown() == [0, 1, 2, 3, 4, 5]
    click("class", "cat")
    assert shown() == [0, 3, 4]
    click("right", "neither")
    assert shown() == [4]
    assert "1 of these 6 images" in page.locator("main").inner_text()
    click("class", "<b>fox</b>")
    assert shown() == [2]
    click("class", "<b>fox</b>")
    click("right", "only b")
    assert shown() == [1, 5]
    click("lower confidence", "below 50 %")
    assert shown() == [5]
    click("right", "only b")
    click("lower confidence", "90 % or more")
    assert shown() == [0, 1]
