"""The page of two groups of seeds."""

import json
import re
from dataclasses import replace

import pytest

from cards.pages.groups import groups_html
from cards.words.group_verdict import group_verdict
from compare.groups.groups import compare_groups
from tests.support.browser import PHONE, pytestmark, wide  # noqa: F401
from tests.support.networks import Net, stream
from tests.support.pages import MEAN

# The marks of the browser's tests are not for all of this file.
IN_BROWSER, pytestmark = pytestmark, []  # noqa: F811


@pytest.fixture(scope="module")
def found():
    return compare_groups([Net(0), Net(1), Net(2)], [Net(3), Net(4), Net(5)], stream())


def test_the_answer_comes_first_then_groups_images_classes_and_seeds(found):
    text = groups_html(found).decode()
    parts = (
        "Over 3 seeds, a gets",
        "a - b:",
        "two random groups of the models, mean",
        "Accuracy of every image",
        "Accuracy of a minus accuracy of b",
        "Classes that differ most on half of the seeds",
        "Images that differ most on half of the seeds",
        "Settings and versions",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "Superclasses" not in text


def test_hostile_names_are_shown_as_text(found):
    classes = tuple(f"{MEAN[i % len(MEAN)]}{i}" for i in range(len(found.dataset.classes)))
    rows = tuple(replace(row, name=name) for row, name in zip(found.classes.rows, classes, strict=True))
    hostile = replace(found, dataset=replace(found.dataset, classes=classes), classes=replace(found.classes, rows=rows))
    text = groups_html(hostile).decode()
    assert "<script>alert(1)</script>" not in text
    assert "‮" not in text
    assert "x" * 200 not in text


def test_classes_are_named_and_filled_only_after_correction(found):
    rows = [replace(row, p_value=0.01, p_holm=0.2) for row in found.classes.rows]
    rows[1] = replace(rows[1], p_holm=0.04)
    result = replace(found, classes=replace(found.classes, rows=tuple(rows)))
    assert f"After correction for testing all classes, {rows[1].name} differs." in group_verdict(result)
    (symbols,) = re.findall(r'"symbol": ?(\["circle[^]]*\])', groups_html(result).decode())
    assert sorted(json.loads(symbols)) == ["circle", *["circle-open"] * (len(rows) - 1)]


class TestInABrowser:
    pytestmark = IN_BROWSER

    def test_it_is_quiet_and_fits_a_phone(self, opened, found):  # noqa: F811
        page = opened(groups_html(found), PHONE, has_touch=True)
        assert wide(page) <= 0
        assert page.locator(".scatterlayer .point").count() >= len(found.examples.index)
