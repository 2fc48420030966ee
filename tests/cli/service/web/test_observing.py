import io
import json
import logging
import logging.config
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine

from cli.service.logs import JsonLines, log, log_config, log_job
from cli.service.store import queue
from cli.service.store.database import Database
from cli.service.store.records import Priority
from cli.service.web.api import comparisons
from tests.support.service import question
from tests.support.web import client


@pytest.fixture
def lines():
    """What is logged during a test, as values of JSON lines, without the secret `a "secret"`."""
    stream, logger = io.StringIO(), logging.getLogger("cli.service")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(('a "secret"',)))
    logger.addHandler(handler)
    logger.setLevel("INFO")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


@pytest.fixture
def configure():
    """Sets up logging as the server does, with the secret `secret`, until the end of the test."""
    yield lambda: logging.config.dictConfig(log_config(["secret"]))
    for name in ("cli.service", "uvicorn"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def test_every_request_is_one_line_of_json(service, lines):
    service[2].get("/api/comparisons/0123456789abcdef?token=hidden")
    service[2].get("/a%0Ab")
    first, second = lines()
    assert first.pop("seconds") >= 0
    assert first.pop("time")[-6:] == "+00:00"
    assert first == {
        "level": "info",
        "event": "request",
        "method": "GET",
        "path": "/api/comparisons/0123456789abcdef",
        "status": 404,
        "user": "local",
        "address": "testclient",
    }
    assert (second["path"], second["status"]) == ("/a\nb", 404)


def test_secrets_are_not_logged(service, lines):
    service[2].get('/a "secret"/b')
    log("event", place='a "secret"')
    assert [lines()[0]["path"], lines()[1]["place"]] == ["/***/b", "***"]


def test_the_server_logs_as_json_too(configure, capfd):
    configure()
    logging.getLogger("uvicorn.error").warning("a secret %s", "message")
    logging.getLogger("uvicorn.access").warning("not this one")
    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["level"]) == ("a *** message", "warning")


def test_a_terminal_shows_jobs_and_problems_in_words(configure, capfd, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    configure()
    log("request", path="/")
    log("request", logging.WARNING, path="/secret", status=503)
    log_job("0123456789abcdef", "a and b", "failed", "worker", 1.23, "no images")
    problem, job = capfd.readouterr().err.splitlines()
    assert problem[8:] == " Warning: request, path /***, status 503"
    assert job[8:] == " a and b failed after 1.2 s: no images (/comparisons/0123456789abcdef)"


def test_a_bug_is_logged_and_its_details_are_not_shown(service, lines, monkeypatch):
    settings, database, _ = service

    def bug(*arguments):
        raise RuntimeError(f'{settings.data} and a "secret"')

    monkeypatch.setattr(comparisons, "find", bug)
    with client(settings, database, raise_server_exceptions=True) as web:
        answer = web.get("/api/comparisons/0123456789abcdef")
    message = "the service has a bug here; whoever runs it finds the details in its log."
    assert (answer.status_code, answer.json()) == (500, {"error": message})
    assert "content-security-policy" in answer.headers
    bug_line, request_line = lines()
    assert bug_line["error"] == f"RuntimeError: {settings.data} and ***"
    assert bug_line["where"][-1].startswith("test_observing.py:")
    assert (request_line["status"], request_line["level"]) == (500, "warning")


def samples(web):
    """All metrics by name and labels."""
    families = text_string_to_metric_families(web.get("/metrics").text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_metrics_count_requests_and_jobs(service):
    settings, database, web = service
    queue.submit(database, question(), "local", Priority.batch, settings.limits)
    for _ in range(3):
        web.get("/api/comparisons/0123456789abcdef")
    web.request("MADEUP", "/nothing")
    found = samples(web)
    route = "/api/comparisons/{job_id}"
    assert found["zoo_requests_total", "GET", route, "404"] == 3
    assert found["zoo_request_seconds_count", "GET", route] == 3
    assert found["zoo_requests_total", "other", "other", "404"] == 1
    assert (found["zoo_jobs", "queued"], found["zoo_jobs", "done"], found["zoo_database_up",]) == (1, 0, 1)
    assert found["process_resident_memory_bytes",] > 0


def test_a_database_that_is_gone_is_said_so_everywhere(service):
    settings = replace(service[0], tokens={})
    gone = Database(create_engine("postgresql+psycopg://ann:password@127.0.0.1:1/name"))
    with client(settings, gone) as web:
        one = "/api/comparisons/0123456789abcdef"
        requests = [("GET", path) for path in ("/api/health", "/api/comparisons", one, f"{one}/page", f"{one}/events")]
        requests += [
            ("DELETE", one),
            ("POST", f"{one}/retry"),
            ("GET", "/api/watches"),
            ("DELETE", "/api/watches/me/a"),
        ]
        for method, path in requests:
            answer = web.request(method, path)
            assert (answer.status_code, answer.json()["error"][:28]) == (503, "the database does not answer")
            assert int(answer.headers["retry-after"]) > 0
            assert "password" not in answer.text
        page = web.get("/history", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        asked = web.post("/api/comparisons", json={"a": "a", "b": "b", "dataset": "digits"})
        assert asked.status_code == 503
        assert samples(web)["zoo_database_up",] == 0
