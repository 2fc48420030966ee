"""`zoo site`: a whole zoo as pages, from the command line and in a browser, and where it may be written."""

import json
import re
import shutil
from itertools import combinations

import pytest
import torch
from safetensors.torch import load_file, save_file

import cli.compute.pair
import cli.compute.site
import compare.engine.pair
from cards.page.page import Place
from cards.pages.comparison import comparison_html
from cards.pages.site import Origin, index_html, model_names, pair_names, site_card
from cli.report.deliver import HTML_START
from compare.result.comparison import Comparison
from compare.result.matrix import ModelMatrix
from tests.support.browser import DESKTOP, PHONE, point_at_pair, pytestmark, wide  # noqa: F401
from tests.support.hub.store import card_errors
from tests.support.page_reader import Reader
from tests.support.pages import MEAN, several
from tests.support.samples import comparison

# The marks of the browser's tests are not for all of this file.
IN_BROWSER, pytestmark = pytestmark, []  # noqa: F811
BRIEF = ("--layers", "blocks", "--max-examples", "60")


def another(folder, place, seed):
    """A copy of a model with other weights."""
    shutil.copytree(folder, place)
    weights, generator = load_file(place / "model.safetensors"), torch.Generator().manual_seed(seed)
    for name, values in weights.items():
        if values.is_floating_point() and "running" not in name:
            weights[name] = values + 0.02 * torch.randn(values.shape, generator=generator)
    save_file(weights, place / "model.safetensors")
    return place


@pytest.fixture(scope="module")
def zoo(folders, tmp_path_factory):
    """A folder of eight models."""
    root = tmp_path_factory.mktemp("zoo") / "models"
    root.mkdir()
    for seed in range(8):
        another(folders[seed % 2], root / f"m{seed}", seed)
    return root


@pytest.fixture
def three(zoo, monkeypatch):
    monkeypatch.chdir(zoo)
    return "m0", "m1", "m2"


@pytest.fixture
def error(run):
    def error(*arguments, code=1):
        ran = run("zoo", "site", *arguments)
        assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (code, "", 1), ran.stderr
        return ran.stderr

    return error


def names_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_site_has_an_index_and_of_each_model_and_pair_what_its_command_gives(run, loaded, three, tmp_path):
    site = tmp_path / "site"
    ran = run("zoo", "site", site, *three, *BRIEF)
    assert ran.code == 0, ran.stderr
    assert ran.stdout.endswith(f"\n{site / 'index.html'}\n")
    assert loaded == ["m0", "m1", "m2"]
    pairs = {f"pairs/m{a}--m{b}.{form}" for a, b in combinations(range(3), 2) for form in ("html", "json")}
    models = {f"models/m{number}.{form}" for number in range(3) for form in ("html", "json")}
    assert names_in(site) == pairs | models | {"index.html", "plotly.js", "matrix.json", "README.md", "contents.json"}
    alone = run("compare", *three[:2], *BRIEF, "--json", "-", "--html", tmp_path / "alone.html")
    matrix = run("zoo", "matrix", *three, *BRIEF, "--json", "-")
    look = run("zoo", "inspect", three[2], *BRIEF, "--json", "-")
    assert loaded == ["m0", "m1", "m2"]
    assert (site / "pairs/m0--m1.json").read_text() == alone.stdout
    assert (site / "models/m2.json").read_text() == look.stdout
    assert ModelMatrix.from_json((site / "matrix.json").read_text()) == ModelMatrix.from_json(matrix.stdout)
    # The page is the same but for its frame, and what draws the charts, which all share.
    page, other = (Reader(path.read_bytes()) for path in (site / "pairs/m0--m1.html", tmp_path / "alone.html"))
    assert page.text == other.text
    assert page.data == other.data
    assert (site / "pairs/m0--m1.html").read_bytes().startswith(HTML_START)
    assert len((site / "pairs/m0--m1.html").read_bytes()) < 300_000


@pytest.mark.slow
def test_what_a_pair_takes_from_other_pages_is_what_comparing_the_two_gives(run, three, tmp_path, monkeypatch):
    site = tmp_path / "site"
    with monkeypatch.context() as patch:
        patch.delattr(cli.compute.pair, "_compare_with_baseline")
        patch.delattr(compare.engine.pair, "look_inside")
        assert run("zoo", "site", site, *three, *BRIEF).code == 0
    alone = run("compare", *three[1:], *BRIEF, "--no-cache", "--json", "-")
    of_site, of_pair = (json.loads(text) for text in ((site / "pairs/m1--m2.json").read_text(), alone.stdout))
    assert leaves(of_site) == pytest.approx(leaves(of_pair), abs=2e-6)


def leaves(value):
    """All numbers and texts in a JSON value, in order."""
    if isinstance(value, dict):
        return leaves([*value, *value.values()])
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def test_by_default_all_layers_are_looked_at_as_by_each_command_alone(run, loaded, three, tmp_path):
    assert run("zoo", "site", tmp_path / "site", *three, "--max-examples", 40).code == 0
    loaded.clear()
    alone = run("compare", *three[1:], "--max-examples", 40, "--json", "-")
    assert loaded == []
    assert (tmp_path / "site/pairs/m1--m2.json").read_text() == alone.stdout
    assert Comparison.from_json(alone.stdout).settings["layers"] == "all"


def test_a_model_with_many_layers_decides_for_every_pair(run, loaded, three, tmp_path, monkeypatch):
    monkeypatch.setattr("compare.model.layer_grams.MANY_LAYERS", 40)
    assert run("zoo", "site", tmp_path / "site", *three, "--max-examples", 40).code == 0
    # At most to count its layers, to see whether it has blocks, and to run; not for its pairs.
    assert max(map(loaded.count, ("m0", "m1", "m2"))) <= 3
    for path in (tmp_path / "site/pairs").glob("*.json"):
        assert Comparison.from_json(path.read_text()).settings["layers"] == "blocks"


def test_no_page_tells_where_the_models_are_on_this_machine(run, zoo, three, tmp_path):
    assert run("zoo", "site", tmp_path / "site", *(zoo / name for name in three), *BRIEF).code == 0
    for path in (tmp_path / "site").rglob("*"):
        assert path.is_dir() or str(zoo).encode() not in path.read_bytes()
    result = ModelMatrix.from_json((tmp_path / "site/matrix.json").read_text())
    assert [model.ref for model in result.models] == list(three)


def test_after_an_interruption_it_goes_on(run, error, loaded, three, tmp_path, monkeypatch):
    done, compared = [], cli.compute.site.compared

    def stopping(*arguments, **options):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return compared(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(cli.compute.site, "compared", stopping)
        message = error(tmp_path / "site", *three, *BRIEF)
    assert "interrupted; nothing was written, but finished results are cached" in message
    assert not (tmp_path / "site").exists()
    loaded.clear()
    assert run("zoo", "site", tmp_path / "site", *three, *BRIEF).code == 0
    assert loaded == []


def test_only_a_site_in_which_nothing_was_changed_is_replaced(run, error, loaded, three, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    assert run("zoo", "site", site, *three, *BRIEF).code == 0
    assert run("zoo", "site", site, *three[:2], *BRIEF).code == 0
    assert "pairs/m0--m2.html" not in names_in(site)
    loaded.clear()
    (site / "pairs/mine.txt").write_text("my notes")
    assert "mine.txt was added or changed since `zoo site` ran, and would be lost" in error(site, *three)
    (site / "pairs/mine.txt").unlink()
    with (site / "README.md").open("a") as card:
        card.write("my words")
    assert "README.md was added or changed" in error(site, *three)
    for name, content in (("contents.json", "{}"), ("notes.txt", "x")):
        (tmp_path / name[0]).mkdir()
        (tmp_path / name[0] / name).write_text(content)
        assert "expected a new folder or a site of `zoo site`" in error(tmp_path / name[0], *three)
    (tmp_path / "file").write_text("x")
    assert "expected a new folder or a site" in error(tmp_path / "file", *three)
    assert (site / "README.md").read_text().endswith("my words")
    assert loaded == []


def test_the_models_of_a_folder_are_taken_if_they_belong_together(run, error, zoo, here):
    for name in ("m0", "m1", "m2"):
        shutil.copytree(zoo / name, here / "models" / name)
    config = json.loads((zoo / "m2" / "config.json").read_text())
    config["zoo"]["dataset"] = "pets"
    (here / "models/m2/config.json").write_text(json.dumps(config))
    ran = run("zoo", "site", "site", *BRIEF)
    assert ran.code == 0, ran.stderr
    assert "skipped models/m2, not trained on digits" in ran.stderr
    assert names_in(here / "site/pairs") == {"m0--m1.html", "m0--m1.json"}
    assert "expected at least two models trained on pets in models, got 1" in error("s", "--dataset", "pets")
    (here / "empty").mkdir()
    assert "expected at least two models in empty, got 0" in error("--out", "s", "--models", "empty")
    # As before there was --models.
    assert "expected at least two models in empty, got 0" in error("s", "--out", "empty")


def test_bad_arguments_are_told_in_one_line(error, three, tmp_path):
    for arguments, message in (
        ((*three, "--models", "models"), "expected models by name, --models, or --hub, got several"),
        (("--models", "models", "--hub", "me"), "expected models by name, --models, or --hub, got several"),
        ((three[0],), "expected at least two models, got 1"),
        ((three[0], three[0]), "twice"),
        ((*three, "--private"), "--private needs --push-space"),
        ((*three, "--precision", "fp8"), "precision must be"),
    ):
        assert message in error(tmp_path / "site", *arguments, code=2)
        assert not (tmp_path / "site").exists()


def test_the_site_needs_a_folder(error, zoo):
    assert "name it with --out DIR" in error("--models", zoo, code=2)


def test_quiet_tells_the_verdict_and_where_it_is(run, three, tmp_path):
    ran = run("zoo", "site", tmp_path / "site", *three, *BRIEF, "--quiet")
    assert ran.stderr == ""
    assert ran.stdout.startswith("By CKA with the most similar layer")


def test_names_of_pairs_are_harmless_and_differ():
    names = pair_names(several((9,) * len(MEAN), MEAN).models)
    assert len(set(names.values())) == len(names) == 45
    for name in names.values():
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]{,130}", name)
        assert name.count("--") == 1
    same = pair_names(several((9,) * 5, ("a", "A", "a/b", "a-b", "a-1")).models)
    assert len(set(same.values())) == 10


def test_the_card_is_one_that_the_hub_takes_for_a_static_space():
    for names in ((), ("<script>alert(1)</script>", "---\nsdk: gradio", "b")):
        card = site_card(several((9, 9, 9), names))
        assert card_errors(card, "space") == []
        assert "\nsdk: static\n" in card
        assert card.count("\n---\n") == 1
        assert "<script>" not in card


def test_mean_names_are_shown_as_text_in_the_index():
    page = mean_index()
    read = Reader(page)
    assert [tag for tag, _ in read.tags].count("script") == 3
    links = [attributes["href"] for tag, attributes in read.tags if tag == "a"]
    assert all(re.fullmatch(r"(pairs|models)/[a-z0-9.-]+\.html|matrix\.json", link) for link in links)
    names = model_names(several((9,) * len(MEAN), MEAN).models)
    assert set(links) > {f"models/{name}.html" for name in names}
    assert "\u202e" not in page.decode()
    assert "x" * 1100 not in page.decode()


@pytest.mark.slow
def test_mean_names_of_folders_do_nothing(run, zoo, tmp_path):
    names = ("[red]x[/red]", "two\nlines\x1b[2J", "\u202egnp.exe", "<script>alert(1)<", "y" * 250)
    models = [shutil.copytree(zoo / f"m{i}", tmp_path / name) for i, name in enumerate(names)]
    ran = run("zoo", "site", tmp_path / "site", *models, *BRIEF)
    assert ran.code == 0, ran.stderr
    for told in (ran.stdout, ran.stderr):
        assert not re.search("\x1b|\u202e", told)
    assert len(names_in(tmp_path / "site/pairs")) == 20
    for page in (tmp_path / "site").rglob("*.html"):
        assert "<script>alert" not in page.read_text()


def test_a_page_among_others_takes_what_they_share():
    page = comparison_html(comparison(), {}, Place("../plotly.js"))
    assert len(page) < 200_000
    read = Reader(page)
    assert ("script", {"src": "../plotly.js"}) in read.tags


def mean_index():
    result = several((9,) * len(MEAN), MEAN)
    origins = [Origin(name, MEAN[1], 3, 14, 0.5) for name in MEAN]
    return index_html(result, origins, pair_names(result.models))


@pytest.fixture(scope="module")
def written(zoo, tmp_path_factory):
    from typer.testing import CliRunner

    from cli.app import zoo_app

    folder = tmp_path_factory.mktemp("out") / "my site"
    ran = CliRunner().invoke(zoo_app(), ["site", "--out", str(folder), "--models", str(zoo), *BRIEF])
    assert ran.exit_code == 0, ran.output
    return folder


@pytest.fixture
def visited(browser):  # noqa: F811
    """Opens the index of a site; in the end, nothing but its files was asked for, and none complained."""
    complaints, requests, contexts = [], [], []

    def visited(site, viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append((context, site))
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((site / "index.html").as_uri())
        page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        return page

    yield visited
    for context, _ in contexts:
        context.close()
    assert complaints == []
    places = tuple(site.as_uri() + "/" for _, site in contexts)
    assert all(url.startswith((*places, "data:", "blob:")) for url in requests)


class TestInABrowser:
    pytestmark = IN_BROWSER

    def test_a_zoo_of_eight_is_sorted_pointed_at_and_opened(self, visited, written):
        page = visited(written)
        assert page.locator("h1").text_content() == "A zoo of 8 models on digits"
        column = "[...document.querySelector('table').tBodies[0].rows].map((row) => row.cells[%d].textContent)"
        page.locator("th", has_text="accuracy").locator("button").click()
        shown = [float(text.rstrip("%")) for text in page.evaluate(column % 2)]
        assert shown == sorted(shown)
        assert len(set(shown)) > 2
        assert page.evaluate(column % 1) != [f"m{i}" for i in range(8)]
        told = point_at_pair(page, 5, 2)
        assert "6 (m5)" in told and "3 (m2)" in told and " ± " in told
        page.mouse.down()
        page.mouse.up()
        page.wait_for_url("**/pairs/m2--m5.html")
        page.wait_for_selector("html[data-ready=yes]")
        assert page.locator("h1").text_content() == "m2 and m5"
        assert page.locator("#map-ab .heatmaplayer image").count() == 1
        page.get_by_text("All 8 models").click()
        page.wait_for_url("**/index.html")
        page.wait_for_selector("html[data-ready=yes]")
        page.focus("#pairs")
        for key in ("ArrowRight", "ArrowRight", "Enter"):
            page.keyboard.press(key)
        page.wait_for_url("**/pairs/m0--m2.html")

    def test_every_pair_is_linked_without_javascript(self, browser, written):  # noqa: F811
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto((written / "index.html").as_uri())
        assert page.locator("td a", has_text="compare").count() == 28
        page.locator("td a", has_text="compare").first.click()
        assert " and " in page.locator("h1").text_content()
        page.locator(".place a").last.click()
        assert page.locator("h1").text_content() in {f"m{number}" for number in range(8)}
        page.locator(".place a").first.click()
        page.locator("table").first.locator("td a").nth(2).click()
        assert page.locator("h1").text_content() == "m2"
        context.close()

    def test_a_phone_need_not_scroll_sideways(self, visited, written):
        page = visited(written, PHONE, has_touch=True, color_scheme="dark")
        assert wide(page) <= 0

    def test_mean_names_do_nothing(self, visited, tmp_path):
        from cards.page.page import plotly_js

        (tmp_path / "index.html").write_bytes(mean_index())
        (tmp_path / "plotly.js").write_bytes(plotly_js())
        page = visited(tmp_path, PHONE)
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        assert wide(page) <= 0
        assert "<script>alert(1)</script>" in point_at_pair(page, 0, 6)
        assert page.locator("main b, svg a, svg b").count() == 0
