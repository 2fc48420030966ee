"""The page of two groups of seeds."""

import json
import re
from dataclasses import replace

import pytest

from cards.pages.groups import groups_html
from cards.tables.groups import class_tests_table, confirmed_images_table
from cards.words.group_facts import class_facts
from cards.words.group_verdict import group_verdict
from compare.groups.groups import compare_groups
from compare.result.groups import Selected
from tests.support.browser import PHONE, pytestmark, wide  # noqa: F401
from tests.support.networks import Net, stream
from tests.support.page_reader import Reader
from tests.support.pages import IMAGES, MEAN

# The marks of the browser's tests are not for all of this file.
IN_BROWSER, pytestmark = pytestmark, []  # noqa: F811


@pytest.fixture(scope="module")
def found():
    return compare_groups([Net(0), Net(1), Net(2)], [Net(3), Net(4), Net(5)], stream())


def test_the_answer_comes_first_then_groups_images_classes_and_seeds(found):
    text = groups_html(found, {}).decode()
    parts = (
        "Over 3 seeds, a gets",
        "Images that differ most on half of the seeds",
        "Groups, on 57 images",
        "Accuracy of every image",
        "two random groups of the models, mean",
        "Accuracy of a minus accuracy of b",
        "Classes that differ most on half of the seeds",
        "Settings and versions",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "Superclasses" not in text


def test_hostile_names_are_shown_as_text(found):
    classes = tuple(f"{MEAN[i % len(MEAN)]}{i}" for i in range(len(found.dataset.classes)))
    rows = tuple(replace(row, name=name) for row, name in zip(found.classes.rows, classes, strict=True))
    hostile = replace(found, dataset=replace(found.dataset, classes=classes), classes=replace(found.classes, rows=rows))
    text = groups_html(hostile, {}).decode()
    assert "<script>alert(1)</script>" not in text
    assert "‮" not in text
    assert "x" * 200 not in text


def test_classes_are_named_and_filled_only_after_correction(found):
    rows = [replace(row, p_value=0.01, p_holm=0.2) for row in found.classes.rows]
    rows[1] = replace(rows[1], p_holm=0.04)
    result = replace(found, classes=replace(found.classes, rows=tuple(rows)))
    assert f"After correction for testing all classes, {rows[1].name} differs." in group_verdict(result)
    (symbols,) = re.findall(r'"symbol": ?(\["circle[^]]*\])', groups_html(result, {}).decode())
    assert sorted(json.loads(symbols)) == ["circle", *["circle-open"] * (len(rows) - 1)]


def selecting(found, *differences):
    """The groups, with one image selected per difference on the other seeds."""
    selected = tuple(
        Selected(17 + i, 0, 1.0, 0.5 + difference, 0.5, difference, path=f"cat/{i}.png")
        for i, difference in enumerate(differences)
    )
    return replace(found, confirmed_examples=replace(found.confirmed_examples, selected=selected))


def test_images_that_differ_on_the_other_seeds_are_shown_with_their_file(found):
    result = selecting(found, 0.5, 0.0, -0.25)
    read = Reader(groups_html(result, {index: IMAGES[17] for index in (17, 18, 19)}))
    assert [tag["alt"] for name, tag in read.tags if name == "img"] == [
        "image 17: 0, a 100 %, b 50 %, cat/0.png",
        "image 19: 0, a 25 %, b 50 %, cat/2.png",
    ]


def test_images_that_all_agree_on_the_other_seeds_are_said_to(found):
    text = Reader(groups_html(selecting(found, 0.0), IMAGES)).text
    assert "None of them differs on the others." in text
    assert "None of them" not in Reader(groups_html(selecting(found, 0.5), IMAGES)).text


def test_rows_without_a_difference_are_counted_instead_of_listed(found):
    table = confirmed_images_table(selecting(found, 0.5, 0.0, 0.0004).confirmed_examples, ("0", "1", "2"))
    assert [row[2] for row in table.rows] == ["cat/0.png"]
    assert table.caption.endswith("Not listed: 2 images without a difference on the other seeds.")
    assert confirmed_images_table(selecting(found, 0.0).confirmed_examples, ("0", "1", "2")) is None
    differences = zip(found.classes.rows, (0.0, 0.1, None), strict=True)
    rows = [replace(row, difference=difference) for row, difference in differences]
    tests = replace(found.classes, rows=tuple(rows))
    assert [row[0] for row in class_tests_table("class", tests).rows] == ["1", "2"]
    assert list(class_facts("class", tests))[1] == "Not listed: 1 class without a difference."
    assert class_tests_table("class", replace(tests, rows=(rows[0],))) is None


def test_axes_of_accuracy_end_at_100_percent_and_so_do_the_points(found):
    figure = Reader(groups_html(found, {})).data["charts"]["images"]
    assert figure["layout"]["xaxis"]["range"] == figure["layout"]["yaxis"]["range"] == [0, 100]
    (points,) = figure["data"]
    for values, accuracies in ((points["x"], found.examples.accuracy_a), (points["y"], found.examples.accuracy_b)):
        assert min(values) >= 0 and max(values) <= 100
        # A third of one of three seeds is 11.1 points.
        assert max(abs(value - 100 * accuracy) for value, accuracy in zip(values, accuracies, strict=True)) < 11.1


class TestInABrowser:
    pytestmark = IN_BROWSER

    def test_it_is_quiet_and_fits_a_phone(self, opened, found):  # noqa: F811
        result = selecting(found, 0.5, -0.25)
        page = opened(groups_html(result, {17: IMAGES[17], 18: IMAGES[17]}), PHONE, has_touch=True)
        assert wide(page) <= 0
        assert page.locator(".scatterlayer .point").count() >= len(found.examples.index)
