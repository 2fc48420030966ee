"""The pages of several models, groups, an inspection, a study and a site on a laptop and a phone, light and dark."""

import pytest

from cards.pages.groups import groups_html
from cards.pages.inspection import inspection_html
from cards.pages.matrix import matrix_html
from cards.pages.study import reproduction_html
from compare.groups.groups import compare_groups
from compare.result.models import DatasetResult
from compare.result.study import Reproduction
from compare.study.claims import judge
from tests.support.browser import pytestmark, wide  # noqa: F401
from tests.support.networks import Net, stream
from tests.support.pages import IMAGES, deep_look, several
from tests.support.studies import study

LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def groups_page():
    return groups_html(compare_groups([Net(0), Net(1), Net(2)], [Net(3), Net(4), Net(5)], stream()), {})


def study_page():
    of = study()
    dataset = DatasetResult("digits", "test", 360, ("0", "1"), "f" * 64)
    parts = {"networks": of.networks, "agreements": of.agreements, "errors": of.errors, "heatmaps": ()}
    return reproduction_html(
        Reproduction(dataset=dataset, claims=judge(of), settings={}, versions={}, notes=(), **parts)
    )


PAGES = {
    "matrix": lambda: matrix_html(several((20, 32, 20))),
    "groups": groups_page,
    "inspection": lambda: inspection_html(deep_look(), IMAGES),
    "study": study_page,
}


@pytest.mark.parametrize("name", PAGES)
def test_the_first_screen_of_a_laptop_holds_the_tiles_and_nothing_is_cut_off(opened, name):
    page = opened(PAGES[name](), LAPTOP)
    tiles = [tile.bounding_box() for tile in page.locator(".tiles li").all()]
    assert len(tiles) == 4
    assert max(box["y"] + box["height"] for box in tiles) <= LAPTOP["height"]
    assert wide(page) <= 0
    phone = opened(PAGES[name](), PHONE, color_scheme="dark", has_touch=True)
    phone.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert wide(phone) <= 0


@pytest.mark.parametrize(("name", "section", "column"), [("matrix", "models", 2), ("groups", "groups", 2)])
def test_on_a_phone_the_accuracy_needs_no_scrolling(opened, name, section, column):
    page = opened(PAGES[name](), PHONE, has_touch=True)
    cell = page.locator(f"#{section} table").first.locator("tbody td").nth(column)
    assert cell.inner_text().endswith("%")
    box = cell.bounding_box()
    assert box["x"] + box["width"] <= PHONE["width"]
