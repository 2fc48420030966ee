import socket
import time
import tracemalloc
from pathlib import Path

import pytest

from cli.service.settings import Settings
from cli.service.store import history, queue
from cli.service.store.records import Kind, Priority, State
from cli.service.web.errors import without_folders
from cli.service.web.security.headers import REPORTS
from tests.support.service import question
from tests.support.web import FILES, answer, serving

ASK = {"a": "a", "b": "b", "dataset": "digits"}
FIELDS = ["id", "a", "b", "dataset", "state", "progress", "phase", "error", "created", "finished"]


def submit(database, settings, **values):
    return queue.submit(database, question(**values), "local", Priority.interactive, settings.limits)[0]


def test_a_question_is_submitted_watched_and_read(service):
    settings, database, web = service
    submitted = web.post("/api/comparisons", json=ASK)
    job_id = submitted.json()["id"]
    url = f"/api/comparisons/{job_id}"
    assert (submitted.status_code, submitted.json()) == (202, {"id": job_id, "state": "queued", "url": url})
    assert submitted.headers["location"] == url
    waiting = web.get(url).json()
    assert list(waiting) == FIELDS
    assert {name: waiting[name] for name in ASK} == ASK
    assert (waiting["state"], waiting["progress"], waiting["phase"]) == ("queued", 0, "")
    assert waiting["created"].endswith("Z")
    queue.claim(database, "worker", 0)
    queue.renew(database, job_id, "worker", 0.25, "comparing", 0)
    running = web.get(url).json()
    assert (running["state"], running["progress"], running["phase"]) == ("running", 0.25, "comparing")
    answer(database, settings)
    done = web.get(url).json()
    assert (done["state"], done["progress"], done["error"]) == ("done", 1, None)
    assert done["finished"] > done["created"]
    assert web.get(f"{url}/result").content == FILES["result.json"]
    assert web.get(f"{url}/picture").content == FILES["picture.png"]
    assert web.get(f"{url}/images").content == FILES["images.json"]
    page = web.get(f"{url}/page")
    assert (page.content, page.headers["content-security-policy"]) == (FILES["page.html"], REPORTS)


def test_the_same_question_is_the_same_comparison_and_its_answer_is_at_hand(service):
    settings, database, web = service
    first, second = (web.post("/api/comparisons", json=ASK) for _ in range(2))
    assert first.json() == second.json()
    assert web.post("/api/comparisons", json=ASK | {"options": {"seed": 1}}).json()["id"] != first.json()["id"]
    answer(database, settings)
    known = web.post("/api/comparisons", json=ASK)
    assert (known.status_code, known.json()) == (200, first.json() | {"state": "done"})


def test_a_matrix_is_found_like_a_comparison(service):
    _, _, web = service
    submitted = web.post("/api/matrices", json={"models": ["a", "b"], "dataset": "digits"})
    assert submitted.status_code == 202
    matrix = web.get(submitted.json()["url"]).json()
    assert list(matrix) == [*FIELDS, "kind", "models"]
    assert (matrix["a"], matrix["b"], matrix["kind"], matrix["models"]) == (None, None, "matrix", ["a", "b"])
    assert web.get("/api/comparisons").json()["comparisons"] == [matrix]


@pytest.mark.parametrize("name", ["result", "page", "picture", "images"])
def test_files_of_an_answer_that_does_not_exist(service, name):
    settings, database, web = service
    url = f"/api/comparisons/{submit(database, settings).id}/{name}"
    early = web.get(url)
    assert (early.status_code, early.json()["error"]) == (409, "the comparison is queued, so it has no result.")
    job_id = answer(database, settings)
    for file in settings.report(job_id).iterdir():
        file.unlink()
    removed = web.get(url)
    assert removed.status_code == 410
    assert "removed to save space" in removed.json()["error"]


def test_a_failure_says_why_without_folders_of_the_server(service):
    settings, database, web = service
    job = submit(database, settings)
    queue.claim(database, "worker")
    queue.fail(database, job.id, "worker", f"{settings.models.absolute()}/a has no weights, {settings.data}/x is full")
    shown = web.get(f"/api/comparisons/{job.id}").json()
    assert (shown["state"], shown["error"]) == ("failed", "models/a has no weights, data/x is full")
    assert str(settings.models) not in web.get(f"/api/comparisons/{job.id}/result").json()["error"]


def test_cancel_and_retry(service):
    _, database, web = service
    url = web.post("/api/comparisons", json=ASK).json()["url"]
    assert web.post(f"{url}/retry").status_code == 409
    assert web.delete(url).json()["state"] == "cancelled"
    assert web.delete(url).status_code == 409
    again = web.post(f"{url}/retry")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    queue.submit(database, question(), "ann", Priority.batch, service[0].limits)
    refused = web.delete(f"/api/comparisons/{question().id}")
    assert (refused.status_code, refused.json()["error"]) == (
        403,
        "only those who asked for a comparison can cancel it.",
    )
    assert history.find(database, question().id).state is State.queued


def test_a_client_that_reads_slowly_does_not_fill_the_memory(service):
    settings, database, _ = service
    queue.submit(database, question(), "local", Priority.interactive, settings.limits)
    job_id, size = answer(database, settings), 2**25
    (settings.report(job_id) / "page.html").write_bytes(b"x" * size)
    request = f"GET /api/comparisons/{job_id}/page HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with serving(settings, database) as web:
        tracemalloc.start()
        with socket.create_connection((web.base_url.host, web.base_url.port)) as slow:
            slow.sendall(request)
            assert slow.recv(12) == b"HTTP/1.1 200"
            time.sleep(1)
            assert tracemalloc.get_traced_memory()[0] < size / 4
        tracemalloc.stop()
        assert len(web.get(f"/api/comparisons/{job_id}/page").content) == size


def test_the_history_is_searched_page_by_page(service):
    settings, database, web = service
    jobs = [submit(database, settings, a=f"me/{name}") for name in ("one", "two", "three")]
    submit(database, settings, kind=Kind.matrix)
    first = web.get("/api/comparisons", params={"q": "me/", "kind": "comparison", "limit": 2}).json()
    assert [found["id"] for found in first["comparisons"]] == [jobs[2].id, jobs[1].id]
    assert first["total"] == 3
    rest = web.get("/api/comparisons", params={"kind": "comparison", "limit": 2, "cursor": first["next_cursor"]}).json()
    assert ([found["id"] for found in rest["comparisons"]], rest["next_cursor"]) == ([jobs[0].id], None)
    # Forms send empty fields, too.
    assert web.get("/api/comparisons?q=two&state=&limit=&cursor=").json()["total"] == 1
    assert web.get("/api/comparisons?state=done").json()["total"] == 0


WRONG = {
    '{"a": "a"}': "b: expected a value, got none.",
    '{"a": "a", "b": 3}': "b: expected a text, got 3.",
    '{"a": "a", "b": "b", "c": 1}': "c: there is no such option.",
    '{"a": "a", "b": "b", "options": {"passes": 0}}': "options.passes: expected at least 1, got 0.",
    '{"a": "a", "b": "b", "options": {"passes": "2"}}': "options.passes: expected an integer, got '2'.",
    '{"a": "a", "b": "b", "options": {"split": "all of it"}}': (
        "options.split: expected 'train', 'test' or 'all', got 'all of it'."
    ),
    '{"a": "a", "b": "b", "options": {"device": "cuda"}}': "options.device: there is no such option.",
    '{"a": "a", "b": "b", "options": []}': "options: expected a JSON object.",
    "[]": "expected a JSON object.",
    "{": "the body is not JSON.",
    "\udcff": "the body is not JSON.",
    "[" * 50_000: "the body is not JSON.",
    f'{{"a": {"9" * 5000}}}': "the body is not JSON.",
}


@pytest.mark.parametrize(("body", "error"), WRONG.items(), ids=range(len(WRONG)))
def test_wrong_values_are_named(service, body, error):
    _, database, web = service
    content = body.encode(errors="surrogateescape")
    answer = web.post("/api/comparisons", content=content, headers={"Content-Type": "application/json"})
    assert answer.json() == {"error": error}
    assert answer.status_code == (400 if "not JSON" in error else 422)
    assert not history.search(database, history.Search()).jobs


def test_a_body_that_is_not_said_to_be_json_is_refused(service):
    answer = service[2].post(
        "/api/comparisons", content=b'{"a": "a", "b": "b"}', headers={"Content-Type": "text/plain"}
    )
    message = "expected a JSON object; send the header `Content-Type: application/json`."
    assert (answer.status_code, answer.json()) == (422, {"error": message})


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/api/comparisons/0123456789abcdef", 404, "there is no comparison '0123456789abcdef'."),
        ("/api/comparisons/..%2F..%2Fetc%2Fpasswd", 404, "there is nothing at"),
        ("/api/comparisons/0123456789ABCDEF", 422, "job_id: expected 16 hexadecimal digits, got '0123456789ABCDEF'."),
        ("/api/comparisons/0123456789abcdef%0A", 422, "job_id: expected 16 hexadecimal digits, got"),
        ("/api/comparisons?limit=0", 422, "limit: expected at least 1, got '0'."),
        ("/api/comparisons?sort=name", 422, "sort: expected 'created', 'finished' or 'agreement', got 'name'."),
        ("/api/comparisons?q=%00", 422, "q: expected a text on one line"),
        ("/api/comparisons?cursor=x", 400, "expected a cursor"),
        ("/api/comparisons?size=1", 422, "size: there is no such option."),
        ("/api/nothing", 404, "there is nothing at /api/nothing; /openapi.json lists all addresses."),
    ],
)
def test_wrong_addresses_are_explained(service, path, status, error):
    answer = service[2].get(path)
    assert (answer.status_code, answer.json()["error"][: len(error)]) == (status, error)


def test_a_method_that_is_not_possible_names_those_that_are(service):
    answer = service[2].put("/api/comparisons/0123456789abcdef")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD")
    assert answer.json() == {
        "error": "PUT is not possible at /api/comparisons/0123456789abcdef, but DELETE, GET, HEAD is."
    }


def test_only_whole_paths_are_folders():
    settings = Settings(Path("/data"), models=Path("/data/models"), datasets={"photos": Path("/mnt/x.y")})
    text = "me/data-a, me/data and /data/models/a: /data is full, '/mnt/x.y/1.png', /mnt/xzy, /database"
    shown = "me/data-a, me/data and models/a: data is full, 'photos/1.png', /mnt/xzy, /database"
    assert without_folders(text, settings) == shown
