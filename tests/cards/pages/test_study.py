"""What page, pictures and terminal tell of a study."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from cards.pages.study import reproduction_html
from cards.pictures.figure import image_bytes
from cards.pictures.study import claims_figure, maps_image
from cards.words.claims import claims_verdict, measuring_command, power_verdict
from cards.words.legible import chance, probability
from cli.report.study import ReproductionReport
from compare.result.base import Estimate
from compare.result.study import Reproduction
from tests.support.browser import DESKTOP, PHONE, pytestmark, wide  # noqa: F401
from tests.support.page_reader import Reader
from tests.support.pages import MEAN
from tests.support.studies import network, reproduction, study

# The marks of the browser's tests are not for all of this file.
IN_BROWSER, pytestmark = pytestmark, []  # noqa: F811


@pytest.fixture(scope="module")
def shown():
    return reproduction(study())


@pytest.fixture(scope="module")
def empty():
    """Of two networks, which can show nothing."""
    return reproduction(replace(study(), networks=(network(), network(38)), agreements=(), errors=None))


def terminal(result):
    console = Console(width=80, color_system=None)
    with console.capture() as told:
        console.print(ReproductionReport(result))
    return told.get()


def test_the_answer_comes_first_then_every_claim_and_how_to_do_it_again(shown):
    text = reproduction_html(shown).decode()
    parts = ("Shown (10):", *(claim.statement for claim in shown.claims[1:]), "All networks", "Settings and versions")
    places = [text.rindex(part) for part in parts]
    assert places == sorted(places)
    assert "training_seconds" in text


def test_what_is_not_shown_is_said_with_the_reason(empty):
    assert "Shown (" not in claims_verdict(empty)
    assert "Not measurable (10): " in claims_verdict(empty)
    for text in (reproduction_html(empty).decode(), " ".join(terminal(empty).split())):
        assert "at least three seeds of a deeper and of a wider architecture" in text


def test_claims_that_were_not_measurable_are_one_line_with_the_command_that_would_measure_them(shown):
    partial = reproduction(replace(study(), errors=None, agreements=()))
    command = "zoo reproduce OUT --dataset digits --depths 14,38,74,110 --widths 1,2,4 --subsets 1,1/2,1/4 --seeds 0-9"
    errors = "deep and wide networks of equal accuracy make different errors"
    read = Reader(reproduction_html(partial))
    assert read.text.count("Not measurable (3 of 10): block structure is unique to each seed") == 1
    assert [text for text in (read.text, " ".join(terminal(partial).split())) if command not in text] == []
    assert f"{errors} (it needs at least three seeds of a deeper and of a wider architecture)." in read.text
    assert "Errors" not in read.contents and "Depth" in read.contents
    assert len(read.data["charts"]) == 1 + 7
    assert "Not measurable (" not in Reader(reproduction_html(shown)).text


def test_the_command_that_measures_more_has_the_default_where_a_study_has_one_value(empty):
    assert measuring_command(empty) == "zoo reproduce OUT --dataset digits --depths 14,38 --seeds 0-9"


def test_units_and_power_are_named(shown):
    for text in (reproduction_html(shown).decode(), " ".join(terminal(shown).split())):
        assert "The unit is a seed: the mean over its networks" in text
        assert "Power of this study" in text
    assert "0.25" in terminal(shown)


def test_weak_studies_say_which_claims_they_can_hardly_show(shown):
    weak, strong = shown.power[0], replace(shown.power[0], statement="Other.", power=0.9)
    assert power_verdict((weak, strong), 3) == (
        "Even if they are true as assumed, this study will probably not show 1 of 2 claims: block structure appears "
        "with depth. More seeds help, such as --seeds 0-9."
    )
    assert power_verdict((strong,), 3) == ""


def test_networks_that_are_not_trained_yet_are_counted_out(shown):
    assert "4 seeds each" in claims_verdict(shown)
    assert "up to 4 seeds each" in claims_verdict(replace(shown, networks=shown.networks[1:]))


def test_report_holds_every_number_in_80_columns(shown):
    text = terminal(shown)
    assert max(map(len, text.splitlines())) <= 80
    assert "Mean score: 0.41 (0.40 to 0.42) at depth 14" in text
    for claim in shown.claims:
        assert f"{chance(claim.p_value)} (Holm {probability(claim.p_adjusted)})" in " ".join(text.split())


def test_a_mean_that_does_not_exist_is_not_drawn_as_zero(shown):
    claim = next(claim for claim in shown.claims if claim.readings)
    missing = replace(claim.readings[0], mean=Estimate(None, None, None))
    changed = replace(claim, readings=(missing, *claim.readings[1:]))
    before, after = (
        Reader(reproduction_html(replace(shown, claims=(each,)))).data["charts"][claim.key]["data"]
        for each in (claim, changed)
    )
    means = [[len(trace["y"]) for trace in data if "error_y" in trace] for data in (before, after)]
    assert sum(means[1]) == sum(means[0]) - 1
    assert sum(0 in trace["y"] for trace in after) == sum(0 in trace["y"] for trace in before)


def test_hostile_names_are_shown_as_text(shown):
    networks = tuple(replace(net, name=MEAN[i % len(MEAN)]) for i, net in enumerate(shown.networks))
    hostile = replace(shown, networks=networks, dataset=replace(shown.dataset, name=MEAN[0]), notes=MEAN)
    text = reproduction_html(hostile).decode()
    assert "<script>alert(1)</script>" not in text
    assert "x" * 2000 not in text


@pytest.mark.slow
def test_pictures_are_drawn_with_and_without_measurements(shown, empty):
    for result in (shown, empty):
        for picture in (image_bytes(claims_figure(result)), maps_image(result)):
            assert picture.startswith(b"\x89PNG")
    assert image_bytes(claims_figure(shown)) == image_bytes(claims_figure(shown)) != image_bytes(claims_figure(empty))


def test_files_of_earlier_versions_open(shown):
    old = json.loads(shown.to_json())
    del old["power"]
    for claim in old["claims"]:
        del claim["unit"]
    for row in old["networks"]:
        for name in ("pc1_share", "map_correlation", "block_contrast", "block_contrast_without"):
            del row[name]
        row["surviving"] = 1
    for agreement in old["agreements"]:
        del agreement["seeds"]
    del old["errors"]["seeds"], old["errors"]["power"]
    again = Reproduction.from_json(json.dumps(old))
    assert reproduction_html(again) and terminal(again)
    assert again.networks[0].block_contrast is None


def test_result_comes_back_from_json(shown):
    again = Reproduction.from_json(shown.to_json())
    assert again.claims[0].effect == pytest.approx(shown.claims[0].effect, abs=1e-6)
    assert [claim.verdict for claim in again.claims] == [claim.verdict for claim in shown.claims]


class TestInABrowser:
    pytestmark = IN_BROWSER

    @pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
    def test_page_opens_without_errors_and_draws_every_claim(self, opened, shown, viewport):  # noqa: F811
        page = opened(reproduction_html(shown), viewport)
        assert page.locator(".js-plotly-plot").count() == len(shown.claims) + 1
        assert wide(page) <= 0
