"""The layout of a comparison in a real browser, on a laptop and on a phone."""

from dataclasses import replace

import pytest

from cards.pages.comparison import comparison_html
from cards.pages.inspection import inspection_html
from compare.result.comparison import Baseline, BaselineSide
from tests.support.browser import pytestmark, wide  # noqa: F401
from tests.support.pages import IMAGES, deep_look, disagreeing, full
from tests.support.samples import comparison, dominated

LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
BOTTOM = (
    "(names) => Math.max(...[...document.querySelectorAll(names)].map((part) => part.getBoundingClientRect().bottom))"
)


def named(name):
    """A comparison with baseline and long names."""
    side = BaselineSide(0.78, 0.46, 0.32, 0.28, 0.36)
    result = replace(full(), baseline=Baseline((0, 1, 2), side, side))
    a, b = (replace(model, name=name) for model in (result.models.a, result.models.b))
    return replace(result, models=replace(result.models, a=a, b=b))


LONG = 30 * "x" + "-resnet110-w4-imagenet-1k-blurred-seed-0-of-twelve-and-more"


@pytest.mark.parametrize(("name", "scheme"), [("resnet14-w1-digits", "light"), (LONG, "dark")], ids=["usual", "long"])
def test_the_first_screen_holds_title_summary_and_tiles(opened, scheme, name):
    page = opened(comparison_html(named(name), IMAGES), LAPTOP, color_scheme=scheme)
    assert page.evaluate(BOTTOM, "h1, .contents, .summary, .tiles li") <= LAPTOP["height"]
    tops = {box["y"] for box in map(lambda tile: tile.bounding_box(), page.locator(".tiles li").all())}
    assert len(tops) == 1
    assert page.locator(".tiles li").count() == 4


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize(("result", "scheme"), [(named(LONG), "light"), (dominated(), "dark")], ids=["long", "dark"])
def test_nothing_is_cut_off(opened, result, viewport, scheme):
    page = opened(comparison_html(result, IMAGES), viewport, color_scheme=scheme)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert wide(page) <= 0
    # What is wider than its box can be scrolled to.
    cut = """[...document.querySelectorAll("body *:not(svg, svg *, option)")].filter((part) =>
        part.scrollWidth > part.clientWidth + 1 && part.clientWidth && getComputedStyle(part).display !== "inline" &&
        !["auto", "scroll"].includes(getComputedStyle(part).overflowX) && !part.closest(".js-plotly-plot")
    ).map((part) => part.outerHTML.slice(0, 200))"""
    assert page.evaluate(cut) == []
    # Titles of charts stay inside of their charts.
    outside = """[...document.querySelectorAll(".main-svg text")].filter((text) => {
        const box = text.getBoundingClientRect(), frame = text.closest(".js-plotly-plot").getBoundingClientRect();
        return box.left < frame.left - 1 || box.right > frame.right + 1;
    }).map((text) => text.textContent)"""
    assert page.evaluate(outside) == []


def test_on_a_phone_the_accuracy_needs_no_scrolling_and_the_first_column_stays(opened):
    page = opened(comparison_html(comparison(), IMAGES), PHONE, has_touch=True)
    table = page.locator("#models table").first
    cell = table.locator("tbody td").nth(2)
    assert cell.inner_text() == "85.00%"
    box = cell.bounding_box()
    assert box["x"] + box["width"] <= PHONE["width"]
    page.evaluate("for (const area of document.querySelectorAll('.scroll')) area.scrollLeft = 1000")
    assert page.locator("#block-structure .scroll").first.evaluate("(area) => area.scrollLeft") > 50
    first = page.locator("#block-structure tbody td").first.bounding_box()
    assert 0 <= first["x"] <= 30


@pytest.mark.parametrize(("viewport", "script"), [(LAPTOP, True), (PHONE, True), (PHONE, False)])
def test_the_contents_bar_stays_in_sight_and_leads_to_every_section(browser, tmp_path, viewport, script):
    (tmp_path / "page.html").write_bytes(comparison_html(full(), IMAGES))
    context = browser.new_context(viewport=viewport, java_script_enabled=script)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    if script:
        page.wait_for_selector("html[data-ready=yes]")
    links = page.locator(".contents a")
    assert links.count() >= 5
    for number in range(links.count()):
        links.nth(number).click()
        address = links.nth(number).get_attribute("href")
        assert page.url.endswith(address)
        bar, heading = page.locator(".contents").bounding_box(), page.locator(f"{address} h2").bounding_box()
        assert bar["y"] == 0
        assert heading["y"] + heading["height"] > bar["height"]
        assert heading["y"] < viewport["height"] - heading["height"]
    assert page.locator(".command button").count() == script
    context.close()


def test_the_button_copies_the_command_on_one_line(opened):
    page = opened(comparison_html(full(), IMAGES))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click(".command button")
    page.wait_for_function("document.querySelector('.command button').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "compare models/shallow models/deep --dataset pets --split test --layers all --baseline none"


def test_accuracy_axes_end_at_100_percent(opened):
    page = opened(comparison_html(full(), IMAGES))
    assert page.evaluate("document.getElementById('chart-reliability')._fullLayout.yaxis.range") == [0, 1]
    page = opened(inspection_html(deep_look(), IMAGES))
    for key in ("deletion", "probes"):
        assert page.evaluate(f"document.getElementById('chart-{key}')._fullLayout.yaxis.range[1]") <= 100


def test_every_map_has_the_colours_from_0_to_1(opened):
    page = opened(comparison_html(full(), IMAGES))
    for view in range(6):
        page.select_option("#view", index=view)
        page.wait_for_timeout(100)
        ranges = "[...document.querySelectorAll('.map')].map(({ data }) => [data[0].zmin, data[0].zmax])"
        assert page.evaluate(ranges) == [[0, 1]] * 3


def test_parts_stand_side_by_side_on_a_laptop_and_below_each_other_on_a_phone(opened):
    result, images = disagreeing()
    for viewport, columns in ((LAPTOP, 2), (PHONE, 1)):
        page = opened(comparison_html(result, images), viewport)
        left = {round(part.bounding_box()["x"]) for part in page.locator("#predictions .part:not(details)").all()}
        assert (len(left) >= columns) if columns > 1 else len(left) == 1
