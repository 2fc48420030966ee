import json
import time
from dataclasses import replace

import pytest

from cli.service.store import queue
from cli.service.store.records import Priority
from cli.service.web import events
from tests.support.processes import until
from tests.support.service import question
from tests.support.web import answer, serving

pytestmark = pytest.mark.slow


def messages(lines):
    """Ids and values of server-sent events, as they come."""
    event = {}
    for line in lines:
        if line.startswith(("id: ", "data: ")):
            name, _, value = line.partition(": ")
            event[name] = value
        elif event and not line:
            yield event["id"], json.loads(event["data"])
            event = {}


def test_everybody_sees_each_change_until_the_end_by_one_look_at_the_database(service, monkeypatch):
    settings, database, _ = service
    job, _ = queue.submit(database, question(), "local", Priority.interactive, settings.limits)
    looks = []
    find_all = events.find_all
    monkeypatch.setattr(events, "find_all", lambda *arguments: looks.append(arguments[1]) or find_all(*arguments))
    url = f"/api/comparisons/{job.id}/events"
    with serving(settings, database) as web, web.stream("GET", url) as one, web.stream("GET", url) as other:
        assert one.headers["content-type"].startswith("text/event-stream")
        first, second = (messages(answer.iter_lines()) for answer in (one, other))
        state = web.get(f"/api/comparisons/{job.id}").json()
        assert next(first) == next(second) == ("queued", state)
        queue.claim(database, "worker", 0)
        assert next(first)[0] == next(second)[0] == "running"
        queue.renew(database, job.id, "worker", 0.5, "comparing", 0)
        assert [next(watcher)[1]["phase"] for watcher in (first, second)] == ["comparing", "comparing"]
        started = time.monotonic(), len(looks)
        answer(database, settings)
        # It ends by itself.
        assert [message[0] for message in first][-1] == [message[0] for message in second][-1] == "done"
        assert len(looks) - started[1] <= (time.monotonic() - started[0]) / events.INTERVAL + 1
        assert set(looks) == {(job.id,)}
        # Then nobody watches, so nobody looks.
        time.sleep(events.INTERVAL)
        number = len(looks)
        time.sleep(3 * events.INTERVAL)
        assert len(looks) == number
        ended = web.get(url)
        assert [message[0] for message in messages(ended.text.split("\n"))] == ["done"]
        # A browser connects again after the end, until the answer is empty.
        assert web.get(url, headers={"Last-Event-ID": "done"}).status_code == 204


def test_a_watcher_who_leaves_is_forgotten_and_an_idle_one_gets_signs_of_life(service, monkeypatch):
    settings, database, _ = service
    job, _ = queue.submit(database, question(), "local", Priority.interactive, settings.limits)
    monkeypatch.setattr(events, "KEEP_ALIVE", events.INTERVAL)
    monkeypatch.setattr(events, "MOST_WATCHERS", 1)
    url = f"/api/comparisons/{job.id}/events"
    with serving(settings, database) as web:
        with web.stream("GET", url) as watching:
            lines = watching.iter_lines()
            until(lambda: next(lines) == ":", 10)
            full = web.get(url)
            assert (full.status_code, full.headers["retry-after"]) == (503, "15")

        def has_room():
            with web.stream("GET", url) as watching:
                return watching.status_code == 200

        until(has_room, 10)


def test_a_user_with_many_streams_leaves_room_for_others(service, monkeypatch):
    settings, database, _ = service
    job, _ = queue.submit(database, question(), "ann", Priority.interactive, settings.limits)
    monkeypatch.setattr(events, "MOST_OF_USER", 1)
    url, ann, bob = f"/api/comparisons/{job.id}/events", {"Authorization": "Bearer a"}, {"Authorization": "Bearer b"}
    with serving(replace(settings, tokens={"a": "ann", "b": "bob"}), database) as web:
        with web.stream("GET", url, headers=ann) as watching:
            lines = watching.iter_lines()
            next(lines)
            refused = web.get(url, headers=ann)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "15")
            with web.stream("GET", url, headers=bob) as other:
                assert other.status_code == 200

        def has_room():
            with web.stream("GET", url, headers=ann) as watching:
                return watching.status_code == 200

        until(has_room, 10)


def test_events_of_an_unknown_comparison(service):
    assert service[2].get("/api/comparisons/0123456789abcdef/events").status_code == 404
