"""The pages in a real browser: ask, watch, read, cancel, search; with the keyboard, on a phone, and without scripts."""

from contextlib import contextmanager

import pytest

from cards.pages.comparison import comparison_html
from cli.service.questions.catalog import _on_hub
from cli.service.settings import Limits, Settings
from cli.service.store import queue
from cli.service.store.database import open_database
from cli.service.store.records import Answer, Kind, PinnedModel, Priority, Question, State
from tests.support.browser import pytestmark, wide  # noqa: F401
from tests.support.pages import IMAGES, full
from tests.support.web import serving

# `wait_for_function` evaluates texts, which the pages forbid.
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
PHONE = {"width": 390, "height": 800}
HOSTILE = "x'\"><script>alert(1)</script>"


class Site:
    """A service, its user's questions, and its worker, who does what the test says."""

    def __init__(self, settings, database, url):
        self.settings, self.database, self.url = settings, database, url

    def ask(self, *names, dataset="digits", commit="c" * 40, user="local", options=None):
        models = tuple(PinnedModel(name, name, commit, f"{commit[0] * 8} {name}") for name in names)
        kind = Kind.comparison if len(names) == 2 else Kind.matrix
        question = Question(kind, models, dataset, dataset, options or {}, f"{names} {dataset} {commit}")
        return queue.submit(self.database, question, user, Priority.interactive, Limits())[0].id

    def begin(self, progress=0.0, phase=""):
        job = queue.claim(self.database, "worker", 3600)
        assert queue.renew(self.database, job.id, "worker", progress, phase, 3600)
        return job

    def finish(self, job, agreement=0.9, accuracies=(0.9, 0.8), report=b"<!DOCTYPE html><h1>A report</h1>"):
        folder = self.settings.report(job.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "page.html").write_bytes(report)
        answer = Answer("They differ in 8 images.", agreement, accuracies, 1000)
        assert queue.finish(self.database, job.id, "worker", answer)
        return job.id

    def answer(self, *names, **question):
        result = {key: question.pop(key) for key in ("agreement", "accuracies") if key in question}
        self.ask(*names, **question)
        return self.finish(self.begin(), **result)


@contextmanager
def opened_site(settings):
    database = open_database(settings.database_url)
    with serving(settings, database) as client:
        yield Site(settings, database, str(client.base_url).rstrip("/"))
    database.close()


@pytest.fixture
def site(tmp_path, folders):
    with opened_site(Settings(tmp_path / "data", models=folders[0].parent)) as site:
        yield site


@pytest.fixture
def surf(browser, site):
    """Open a page of the site. Afterwards, check that browsers logged nothing and asked nobody but the site."""
    messages, requests, contexts = [], [], []

    def surf(path, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(site.url + path)
        return page

    yield surf
    for context in contexts:
        context.close()
    # Wrong questions are answered with a page, and a status that browsers log.
    assert [message for message in messages if "400 (Bad Request)" not in message] == []
    assert all(url.startswith((site.url, "data:", "blob:")) for url in requests)


def send(page):
    page.get_by_role("button", name="Compare", exact=True).click()


def test_a_question_is_asked_watched_and_read(surf, site):
    page = surf("/")
    assert "No comparisons yet" in page.content()
    page.get_by_label("Model a").fill("a")
    page.get_by_label("Model b").fill("b")
    send(page)
    page.wait_for_url("**/comparisons/*")
    assert page.locator("#phase").text_content() == "waiting for a worker"
    job = site.begin(0.25, "comparing")
    expect(page.locator("#phase")).to_have_text("comparing")
    expect(page.locator("#left")).to_have_text("25 %")
    assert page.locator("#bar").evaluate("bar => bar.value") == 0.25
    site.finish(job, report=comparison_html(full(), IMAGES))
    report = page.frame_locator("iframe")
    assert report.locator("h1").text_content() == "shallow and deep"
    report.locator("html[data-ready=yes]").wait_for(timeout=30_000)
    page.goto(site.url)
    assert "90.0 %" in page.locator(".jobs").inner_text().replace("\xa0", " ")


def test_the_time_left_follows_from_the_progress(surf, site):
    page = surf(f"/comparisons/{site.ask('me/a', 'me/b')}")
    site.begin(0.5, "comparing")
    expect(page.locator("#left")).to_have_text("50 %, a few seconds left", timeout=20_000)


def test_a_wrong_question_comes_back_with_its_error(surf, site):
    page = surf("/")
    page.get_by_label("Model a").fill("../a")
    page.get_by_label("Model b").fill(HOSTILE)
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Passes").fill("7")
    with page.expect_response("**/comparisons") as response:
        send(page)
    assert response.value.status == 400
    page.wait_for_selector("[role=alert]")
    assert "a path is no name" in page.get_by_role("alert").text_content()
    assert page.get_by_label("Model b").input_value() == HOSTILE
    assert page.get_by_label("Passes").input_value() == "7"
    assert page.evaluate("document.activeElement.id") == "problem"


def test_a_comparison_is_cancelled_and_tried_again(surf, site):
    page = surf(f"/comparisons/{site.ask('me/a', 'me/b')}")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("was cancelled").wait_for()
    page.get_by_role("button", name="Compare after all").click()
    page.wait_for_selector("#phase")
    queue.fail(site.database, site.begin().id, "worker", f"no {HOSTILE}")
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").text_content() == f"no {HOSTILE}"
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("#phase")
    page.get_by_role("link", name="resnet-zoo").click()
    assert page.locator(".badge").text_content() == "Waiting"


def test_a_question_can_be_changed(surf, site):
    page = surf(f"/comparisons/{site.ask('me/a', 'me/b', options={'passes': 3, 'measures': ['knn']})}")
    queue.fail(site.database, site.begin().id, "worker", "too large")
    page.get_by_role("link", name="Change the question").click()
    page.wait_for_selector("form.question")
    values = [page.get_by_label(name).input_value() for name in ("Model a", "Model b", "Dataset", "Passes")]
    assert values == ["me/a", "me/b", "digits", "3"]
    assert page.get_by_label("knn").is_checked()
    assert not page.get_by_label("rsa").is_checked()


@pytest.mark.parametrize("state", [*State, "removed"])
def test_every_state_can_be_reloaded_and_reads_without_scripts(surf, site, state):
    job_id = site.ask(HOSTILE, "me/b")
    if state == State.cancelled:
        queue.cancel(site.database, job_id, "local")
    elif state != State.queued:
        job = site.begin(0.3, "comparing")
        if state == State.failed:
            queue.fail(site.database, job_id, "worker", "it failed")
        elif state in (State.done, "removed"):
            site.finish(job)
    if state == "removed":
        from cli.service.store.history import forget_report

        forget_report(site.database, job_id)
    page = surf(f"/comparisons/{job_id}")
    before = page.locator("h1").text_content()
    page.reload()
    assert page.locator("h1").text_content() == before == f"{HOSTILE} and me/b"
    plain = surf(f"/comparisons/{job_id}", java_script_enabled=False)
    words = {
        "queued": "waiting for a worker",
        "running": "30 %",
        "done": "About this comparison",
        "failed": "it failed",
        "cancelled": "was cancelled",
        "removed": "They differ in 8 images.",
    }
    assert words[state] in plain.locator("main").inner_text().replace("Waiting", "waiting")


def test_without_scripts_everything_can_be_asked(surf, site):
    page = surf("/", java_script_enabled=False)
    page.get_by_label("Model a").fill("a")
    page.get_by_label("Model b").fill("b")
    send(page)
    assert page.locator("#phase").text_content() == "waiting for a worker"
    page.get_by_role("button", name="Cancel").click()
    assert "was cancelled" in page.locator("main").text_content()
    page.goto(f"{site.url}/matrix")
    page.get_by_label("a", exact=True).check()
    page.get_by_label("Other models").fill("b\n")
    send(page)
    assert page.locator("h1").text_content() == "2 models on digits"


def test_the_keyboard_is_enough(surf, site):
    page = surf("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.get_by_label("Model a").focus()
    page.keyboard.type("a")
    page.keyboard.press("Tab")
    page.keyboard.type("b")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_label("Passes").is_visible()
    page.get_by_label("Passes").focus()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    page.wait_for_url("**/comparisons/*")
    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    page.get_by_text("was cancelled").wait_for()


def test_models_are_completed(surf, site, hub):
    _on_hub.cache_clear()
    page = surf("/")
    options = page.locator("#a-list option")
    assert options.evaluate_all("all => all.map(one => one.value)") == ["a", "b"]
    page.get_by_label("Model a").type("b")
    expect(options).to_have_count(1)
    assert options.get_attribute("value") == "b"


def test_the_history_is_searched_filtered_sorted_and_paged(surf, site):
    for number in range(23):
        site.answer(f"me/old{number}", "me/b", agreement=number / 30)
    site.ask("me/new", f"{HOSTILE}", dataset="hf:me/data")
    page = surf("/history")
    assert page.locator(".jobs li").count() == 20
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=**")
    assert page.locator(".jobs li").count() == 4
    page.get_by_role("link", name="First page").click()
    page.get_by_label("Search").fill("OLD1 b")
    page.get_by_label("Order").select_option("Most agreement")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**q=OLD1+b**")
    rows = page.locator(".jobs .names").all_text_contents()
    assert rows == [f"me/old{number} and me/b" for number in (19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 1)]
    page.reload()
    assert page.get_by_label("Search").input_value() == "OLD1 b"
    page.get_by_label("State").select_option("Waiting")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("Nothing found.").wait_for()
    page.get_by_role("link", name="show all comparisons").click()
    page.get_by_text("24 comparisons").wait_for()


def test_a_model_shows_its_comparisons_and_its_trend(surf, site):
    for commit, accuracy in zip("123", (0.9, 0.95, 0.97), strict=True):
        site.answer("me/a", "me/b", commit=commit * 40, accuracies=(accuracy, 0.5))
    page = surf("/models/me/a")
    assert page.locator(".jobs li").count() == 3
    assert page.locator("tbody tr td:first-child").all_text_contents() == [
        "commit 3333333",
        "commit 2222222",
        "commit 1111111",
    ]
    heights = page.locator("circle").evaluate_all("points => points.map(point => point.cy.baseVal.value)")
    assert heights == sorted(heights, reverse=True)
    # Points stand where the marks of the axis say.
    ticks = {
        float(text.text_content()[:-2]): float(text.get_attribute("y")) - 4 for text in page.locator(".tick").all()
    }
    (low, y_low), (high, y_high) = min(ticks.items()), max(ticks.items())
    shown = [low + (height - y_low) / (y_high - y_low) * (high - low) for height in heights]
    assert shown == pytest.approx([90, 95, 97], abs=0.1)
    page.get_by_role("link", name="Compare with another model").click()
    page.wait_for_selector("form.question")
    assert page.get_by_label("Model a").input_value() == "me/a"
    expect(surf("/models/a").get_by_text("cifar_resnet, depth 8, width 0.5")).to_be_visible()


def test_a_model_that_changed_can_be_compared_again(surf, site):
    old = site.answer("a", "b")
    page = surf(f"/comparisons/{old}")
    page.get_by_text("have changed since").wait_for()
    page.get_by_role("button", name="Compare again").first.click()
    page.wait_for_selector("#phase")
    new = site.finish(site.begin())
    page.wait_for_selector("iframe")
    assert new != old
    assert page.url.endswith(new)
    page.get_by_text("About this comparison").click()
    page.get_by_role("button", name="Compare again").click()
    page.get_by_text("same as before").wait_for()
    assert new in page.url


def test_a_phone_shows_every_page_without_scrolling_sideways(surf, site):
    long = f"me/{'longname' * 11}"
    ids = [site.answer(long, "me/b"), site.answer(long, "me/b", commit="d" * 40, accuracies=(0.5, 0.6))]
    ids.append(site.ask(long, HOSTILE, "me/c", dataset="hf:me/" + "d" * 90))
    for path in ("/", "/matrix", "/history", f"/models/{long}", "/login", *(f"/comparisons/{id}" for id in ids)):
        page = surf(path, viewport=PHONE, color_scheme="dark")
        page.locator("details").first.evaluate_all("all => all.forEach(one => one.open = true)")
        assert wide(page) <= 0, path
        page.close()
    page = surf(f"/comparisons/{ids[0]}", viewport=PHONE)
    page.get_by_role("link", name="Read the report").click()
    expect(page.get_by_role("heading")).to_have_text("A report")


def test_errors_are_pages(browser, site):
    page = browser.new_page()
    for path, words in (
        ("/comparisons/0123456789abcdef", "there is no"),
        ("/nowhere", "nothing at"),
        ("/history?state=odd", "expected"),
    ):
        response = page.goto(site.url + path)
        assert response.status in (404, 422)
        assert words in page.locator("main").text_content().lower()
        assert page.get_by_role("link", name="Compare two models").is_visible()
    page.close()


def test_tokens_are_asked_for_once(browser, tmp_path, folders):
    with opened_site(Settings(tmp_path / "data", models=folders[0].parent, tokens={"right": "anna"})) as site:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{site.url}/history?q=x")
        assert page.url.endswith("/login?next=%2Fhistory%3Fq%3Dx")
        for token in ("wrong", "right"):
            page.get_by_label("Token").fill(token)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_load_state()
            assert ("token is wrong" in page.content()) == (token == "wrong")
        assert page.url.endswith("/history?q=x")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login")
        page.goto(site.url)
        assert "/login" in page.url
        context.close()
