"""The pages without a browser: what is escaped, refused, and where forms lead."""

from dataclasses import replace

import pytest

from cli.service.settings import Limits
from cli.service.store import queue
from cli.service.store.records import Priority
from cli.service.web.render.html import STATIC
from tests.support.service import question
from tests.support.web import client, serving

pytestmark = pytest.mark.slow

HTML = {"accept": "text/html"}
HOSTILE = "x'\"><script>alert(1)</script>\u202e"


@pytest.fixture
def pages(service):
    settings, database, web = service
    web.headers |= HTML
    return database, web


def asked(database, *names, **options):
    return queue.submit(
        database, question(*names, **options), "local", Priority.interactive, Limits(queued_per_user=50)
    )[0].id


def test_names_are_escaped_everywhere(pages):
    database, web = pages
    job_id = asked(database, HOSTILE, HOSTILE, dataset=HOSTILE, options={"layers": HOSTILE})
    queue.fail(database, queue.claim(database, "worker").id, "worker", HOSTILE)
    addresses = ("/", "/history", f"/comparisons/{job_id}", f"/history?q={HOSTILE}", f"/history?model={HOSTILE}")
    for address in (*addresses, f"/?a={HOSTILE}&layers={HOSTILE}", f"/matrix?models={HOSTILE}", f"/models/{HOSTILE}"):
        text = web.get(address).text
        assert "alert(1)" in text, address
        assert "<script>alert" not in text
        assert "x'\">" not in text


def test_comparisons_of_the_same_models_differ_by_their_options(pages):
    database, web = pages
    asked(database, "me/a", "me/b", options={"max_examples": 60, "measures": ["knn", "rsa"]})
    text = web.get("/history").text
    assert "digits</span>, max examples <code>60</code>, measures <code>knn, rsa</code>" in text


def test_a_model_of_many_comparisons_leads_to_all_of_them(pages):
    database, web = pages
    for number in range(21):
        asked(database, "me/a", f"me/b{number}")
    text = web.get("/models/me/a@v1").text
    assert text.count('class="job"') == 20
    assert 'href="/history?model=me/a"' in text
    assert web.get("/history?model=me/a").text.count('class="job"') == 20


def test_the_next_page_goes_on_with_the_same_search(pages):
    database, web = pages
    for number in range(5):
        asked(database, "me/a", f"me/b{number}")
    asked(database, "me/c", "me/d")
    text = web.get("/history?q=me/a&limit=3&sort=finished").text
    address = text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert web.get(address).text.count('class="job"') == 2


def test_models_that_are_nowhere_are_not_found(pages):
    _, web = pages
    assert web.get("/models/none").status_code == 404
    assert web.get("/models/../secret").status_code in (400, 404)
    assert web.get("/models/me/never-compared").status_code == 200
    assert web.get("/known-models/a").text.count("<dt>") > 2


def test_a_form_that_cannot_be_answered_comes_back(pages):
    _, web = pages
    for form, words in (
        ({"a": "a", "b": ""}, "b: expected a text of at least 1 characters"),
        ({"a": "a", "b": "b", "passes": "0"}, "options.passes: expected at least 1"),
        ({"a": "a", "b": "b", "tolerance": "nan"}, "options.tolerance"),
        ({"a": "a", "b": "b", "dataset": "/etc"}, "there is no dataset"),
        ({"a": "a", "b": "py:x.py:f"}, "would run code"),
    ):
        answer = web.post("/comparisons", data=form)
        assert 400 <= answer.status_code < 500, form
        assert words in answer.text
        assert 'name="a" value="a"' in answer.text
    answer = web.post("/matrices", data={"known": ["a"]})
    assert answer.status_code == 422
    assert "at least 2" in answer.text
    assert 'value="a" checked' in answer.text


def test_another_state_answers_a_button_with_an_error_page(pages):
    database, web = pages
    job_id = asked(database, "me/a", "me/b")
    assert web.post(f"/comparisons/{job_id}/retry").status_code == 409
    assert web.post(f"/comparisons/{job_id}/cancel").headers["location"] == f"/comparisons/{job_id}"
    answer = web.post(f"/comparisons/{job_id}/cancel")
    assert answer.status_code == 409
    assert "<h1>Conflict</h1>" in answer.text


def test_a_model_that_is_gone_is_named(service):
    settings, database, _ = service
    with client(replace(settings, models=settings.data / "empty"), database) as web:
        job_id = asked(database, "gone", "me/b")
        assert "cannot be repeated now: there is no model" in web.get(f"/comparisons/{job_id}/newer").text


def test_static_files_are_known_by_their_contents(pages):
    _, web = pages
    text = web.get("/").text
    for name in STATIC:
        address = text.split(f"/static/{name}")[1].split('"')[0]
        answer = web.get(f"/static/{name}{address}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert web.get("/static/app.py").status_code == 404


@pytest.mark.parametrize("address", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", ""])
def test_signing_in_leads_nowhere_else(service, address):
    settings, database, _ = service
    with client(replace(settings, tokens={"right": "anna"}), database) as web:
        answer = web.post("/login", data={"token": "right", "next": address})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert 'name="next" value="/"' in web.get(f"/login?next={address}").text


def test_pages_hold_no_script_and_no_style_of_their_own(pages):
    database, web = pages
    job_id = asked(database, "me/a", "me/b")
    for address in ("/", "/matrix", "/history", "/models/me/a", f"/comparisons/{job_id}", "/nowhere"):
        text = web.get(address).text
        assert " style=" not in text
        assert "<style" not in text
        assert text.count("<script") == 1
        assert "<script src=" in text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/history",
        "/models/a",
        "/login",
        "/comparisons/ID",
        "/api/comparisons",
        "/api/health",
        "/api/comparisons/ID",
        "/api/comparisons/ID/events",
        "/api/comparisons/ID/page",
        "/api/comparisons/none",
        "/metrics",
        "/openapi.json",
    ],
)
def test_head_is_get_without_a_body(service, path):
    settings, database, web = service
    job_id = web.post("/api/comparisons", json={"a": "a", "b": "b", "dataset": "digits"}).json()["id"]
    path = path.replace("ID", job_id)
    with serving(settings, database) as web:
        head = web.head(path)
        with web.stream("GET", path) as get:
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert head.headers.get("content-type") == get.headers.get("content-type")
