import re
import socket
import time
from dataclasses import replace

import pytest

from cli.service.store import history
from cli.service.web.security import attempts, connection, guard, sessions
from cli.service.web.security.headers import PAGES
from tests.support.web import client, serving

pytestmark = pytest.mark.slow

ASK = {"a": "a", "b": "b", "dataset": "digits"}
TOKENS = {"token-of-ann": "ann", "token-of-bob": "bob"}
BEARER = {"Authorization": "Bearer token-of-ann"}
OWN = {"Origin": "http://127.0.0.1:8000"}


@pytest.fixture
def team(service):
    """A service that needs a token, and its client."""
    settings, database, _ = service
    with client(replace(settings, tokens=TOKENS, webhook_secret="secret-of-the-hub"), database) as web:
        yield database, web


def cookie(token="token-of-ann"):
    return {"Cookie": f"{sessions.COOKIE}={sessions.new_session(token)}"}


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "zoo.localhost:80", "127.0.0.2"])
def test_without_tokens_this_machine_may_ask(service, host):
    assert service[2].get("/api/comparisons", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[", ""]
)
def test_a_site_that_gives_itself_the_address_of_this_machine_is_refused(service, host):
    answer = service[2].get("/api/comparisons", headers={"Host": host})
    assert (answer.status_code, "the address of this machine only" in answer.json()["error"]) == (403, True)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer token-of-an"}, {"Authorization": "Bearer "}, {"Authorization": "Basic YW5uOg=="}],
)
def test_a_missing_or_wrong_token_is_refused(team, headers):
    for path in ("/api/comparisons", "/metrics", "/openapi.json", "/api/models"):
        answer = team[1].get(path, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert list(answer.json()) == ["error"]
        assert "token-of" not in answer.text


@pytest.mark.parametrize(
    "headers", [BEARER, {"Authorization": "bearer  token-of-bob"}, cookie(), cookie("token-of-bob")]
)
def test_a_token_or_cookie_is_let_in_under_any_name_of_the_server(team, headers):
    assert team[1].get("/api/comparisons", headers=headers | {"Host": "zoo.example"}).status_code == 200


def test_a_token_may_have_any_characters(service):
    settings, database, _ = service
    with client(replace(settings, tokens={"clé 1": "ann"}), database) as web:
        headers = {"Authorization": "Bearer clé 1".encode()}
        assert web.get("/api/comparisons", headers=headers).status_code == 200


def test_what_needs_no_token(team):
    web = team[1]
    assert web.get("/api/health").json()["status"] == "ok"
    assert web.get("/login").status_code == 200
    event = {"event": {"action": "update", "scope": "repo.content"}, "repo": {"type": "model", "name": "me/a"}}
    for secret, status in (("secret-of-the-hub", 200), ("wrong", 401), (None, 401)):
        headers = {"X-Webhook-Secret": secret} if secret else {}
        assert web.post("/api/webhooks/huggingface", json=event, headers=headers).status_code == status


def test_a_wrong_secret_is_refused_before_the_body_is_read(team, service):
    for web in (team[1], service[2]):
        for body in (b"no JSON", b"x" * 2**20):
            answer = web.post("/api/webhooks/huggingface", content=body, headers={"X-Webhook-Secret": "wrong"})
            assert answer.status_code == (401 if web is team[1] else 403)


def test_a_secret_may_have_any_characters(service):
    settings, database, _ = service
    with client(replace(settings, webhook_secret="clé"), database) as web:
        headers = {"X-Webhook-Secret": "clé".encode()}
        assert web.post("/api/webhooks/huggingface", content=b"{}", headers=headers).status_code == 422


@pytest.mark.parametrize(
    "address", ["//evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example", "https://evil.example", ""]
)
def test_signing_in_leads_to_no_other_server(team, address):
    web = team[1]
    form = web.get("/login", params={"next": address}).text
    assert 'data-next="/"' in form
    assert 'name="next" value="/"' in form
    data = {"token": "token-of-ann", "next": address}
    assert web.post("/login", data=data, headers=OWN).headers["location"] == "/"


def test_a_browser_logs_in_and_keeps_a_cookie_that_scripts_and_sites_cannot_use(team):
    web = team[1]
    sent_away = web.get("/history?q=a", headers={"Accept": "text/html"})
    assert (sent_away.status_code, sent_away.headers["location"]) == (303, "/login?next=%2Fhistory%3Fq%3Da")
    assert "set-cookie" not in web.post("/login", data={"token": "wrong"}, headers=OWN).headers
    logged_in = web.post("/login", data={"token": "token-of-ann", "next": "/history?q=a"}, headers=OWN)
    assert (logged_in.status_code, logged_in.headers["location"]) == (303, "/history?q=a")
    attributes = logged_in.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={sessions.LIFETIME}"} <= set(attributes.split("; "))
    assert "token-of-ann" not in attributes
    # The client sends the cookie from now on.
    assert web.get("/history").status_code == 200


@pytest.mark.parametrize(
    "change", [lambda value: f"9{value}", lambda value: value[:-1], lambda value: "", lambda value: "é.é"]
)
def test_a_forged_cookie_is_refused(team, change):
    value = change(sessions.new_session("token-of-ann"))
    answer = team[1].get("/api/comparisons", headers={"Cookie": f"{sessions.COOKIE}={value}".encode()})
    assert (answer.status_code, answer.json()["error"][:28]) == (401, "the session is not valid; si")


@pytest.mark.parametrize("end", ["", "soon", "9" * 5000, "-1"])
def test_a_cookie_whose_end_is_no_moment_has_expired_whoever_signed_it(team, end):
    value = f"{end}.{sessions._signature('token-of-ann', end)}"
    answer = team[1].get("/api/comparisons", headers={"Cookie": f"{sessions.COOKIE}={value}"})
    assert (answer.status_code, answer.json()["error"][:23]) == (401, "the session has expired")


def wrong_tokens(web):
    """Sends as many wrong tokens, cookies, secrets, and sign-ins as an address may."""
    for number in range(attempts.MOST_WRONG):
        token = f"wrong {number}"
        if number % 4 == 0:
            yield web.post("/login", data={"token": token}, headers=OWN)
        elif number % 4 == 1:
            yield web.post("/api/webhooks/huggingface", headers={"X-Webhook-Secret": token})
        else:
            yield web.get(
                "/metrics", headers={"Authorization": f"Bearer {token}"} if number % 4 == 2 else cookie(token)
            )


def test_nobody_finds_a_token_by_trying(team, monkeypatch):
    web = team[1]
    known = cookie()
    assert web.get("/metrics", headers=known).status_code == 200
    assert {answer.status_code for answer in wrong_tokens(web)} == {401}
    for headers in ({"Authorization": "Bearer another"}, BEARER):
        answer = web.get("/metrics", headers=headers)
        assert (answer.status_code, 0 < int(answer.headers["retry-after"]) <= attempts.WINDOW) == (429, True)
    assert web.post("/login", data={"token": "token-of-bob"}, headers=OWN).status_code == 429
    # Who was let in before is let in.
    assert web.get("/metrics", headers=known).status_code == 200
    now = time.monotonic() + attempts.WINDOW
    monkeypatch.setattr(attempts.time, "monotonic", lambda: now)
    assert web.get("/metrics", headers=BEARER).status_code == 200


def test_clients_of_a_proxy_and_of_one_network_have_a_limit_each(service, monkeypatch):
    settings, database, _ = service
    monkeypatch.setattr(attempts, "MOST_WRONG", 1)

    def status(address):
        return web.get("/metrics", headers={"Authorization": "Bearer wrong", "X-Forwarded-For": address}).status_code

    with serving(replace(settings, tokens=TOKENS), database) as web:
        for first, same, other in (
            ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
            # What the client itself sends stands first.
            ("10.9.9.9, 10.0.0.3", "10.9.9.8, 10.0.0.3", "10.0.0.4"),
            ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
            ("::ffff:10.0.0.5", "10.0.0.5", "::ffff:10.0.0.6"),
            ("no address", "nor this one" * 1000, "10.0.0.7"),
        ):
            assert [status(first), status(same), status(other)] == [401, 429, 401]


def test_a_cookie_expires(team, monkeypatch):
    headers = cookie()
    now = time.time() + sessions.LIFETIME
    monkeypatch.setattr(sessions.time, "time", lambda: now - 2)
    assert team[1].get("/api/comparisons", headers=headers).status_code == 200
    monkeypatch.setattr(sessions.time, "time", lambda: now + 2)
    answer = team[1].get("/api/comparisons", headers=headers)
    assert (answer.status_code, answer.json()["error"][:23]) == (401, "the session has expired")


def test_a_cookie_ends_with_its_token(service):
    settings, database, _ = service
    headers = cookie("token-of-bob")
    with client(replace(settings, tokens={"token-of-ann": "ann"}), database) as web:
        assert web.get("/api/comparisons", headers=headers).status_code == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8001", "http://127.0.0.1", ""])
def test_pages_of_other_sites_change_nothing(team, service, origin):
    database, web = team
    for who, headers in ((service[2], {}), (web, cookie()), (web, BEARER)):
        answer = who.post("/api/comparisons", json=ASK, headers=headers | {"Origin": origin})
        assert (answer.status_code, "another site" in answer.json()["error"]) == (403, True)
    assert not history.search(database, history.Search()).jobs


def test_a_cookie_needs_an_origin_to_change_anything_and_a_token_does_not(team):
    web = team[1]
    assert web.post("/api/comparisons", json=ASK, headers=cookie()).status_code == 403
    assert web.post("/api/comparisons", json=ASK, headers=cookie() | OWN).status_code == 202
    assert web.post("/api/comparisons", json=ASK, headers=BEARER).status_code == 202


def test_users_are_those_of_their_tokens(team):
    database, web = team
    job_id = web.post("/api/comparisons", json=ASK, headers=BEARER).json()["id"]
    assert history.find(database, job_id).users == ("ann",)
    refused = web.delete(f"/api/comparisons/{job_id}", headers={"Authorization": "Bearer token-of-bob"})
    assert refused.status_code == 403
    assert web.delete(f"/api/comparisons/{job_id}", headers=cookie() | OWN).json()["state"] == "cancelled"


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/nothing", "/metrics", "/nothing", "/openapi.json"])
def test_every_answer_has_safe_headers(service, path):
    for method in ("GET", "PATCH"):
        headers = service[2].request(method, path).headers
        assert headers["content-security-policy"] == PAGES
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")
        assert headers["cache-control"] == "no-store"
    assert not re.search("unsafe|\\*|http", PAGES)


def test_large_bodies_are_refused_whatever_their_length_says(service):
    settings, database, _ = service

    def chunks(number):
        yield b'{"a": "'
        for _ in range(number):
            yield b"x" * 2**10
        yield b'"}'

    headers = {"Content-Type": "application/json"}
    with serving(settings, database) as web:
        for body in (b"".join(chunks(2**10)), chunks(2**10), chunks(64)):
            answer = web.post("/api/comparisons", content=body, headers=headers)
            assert (answer.status_code, answer.json()) == (413, {"error": "expected a request of at most 64 KB."})
        assert web.post("/api/comparisons", content=chunks(63), headers=headers).status_code == 422


def test_a_body_that_does_not_arrive_is_not_waited_for(service, monkeypatch):
    settings, database, _ = service
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.2)

    def slow():
        yield b"{"
        time.sleep(1)
        yield b"}"

    with serving(settings, database) as web:
        answer = web.post("/api/comparisons", content=slow())
        assert (answer.status_code, "did not arrive" in answer.json()["error"]) == (400, True)


def sent(web, *parts, pause=0.1):
    """What the server answers to bytes that are sent in parts, until it closes the connection."""
    with socket.create_connection((web.base_url.host, web.base_url.port), timeout=10) as client:
        received = b""
        try:
            for part in parts:
                client.sendall(part)
                time.sleep(pause)
            while chunk := client.recv(2**16):
                received += chunk
        except ConnectionError:
            pass
        return received


REQUEST = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n"


def test_headers_that_do_not_arrive_are_not_waited_for(service, monkeypatch):
    settings, database, _ = service
    monkeypatch.setattr(connection, "HEADER_SECONDS", 1)
    with serving(settings, database) as web:
        for parts in ((), (REQUEST,), [REQUEST, *[b"A: b\r\n"] * 100]):
            start = time.monotonic()
            assert sent(web, *parts) == b""
            assert time.monotonic() - start < 5
        # A request in time is answered, and the next one of the connection has its own time.
        answers = sent(web, REQUEST, b"\r\n" + REQUEST, b"\r\n" + REQUEST, pause=0.6)
        assert answers.count(b"200 OK") == 2


def test_headers_are_bounded_whatever_reads_them(service):
    settings, database, _ = service
    with serving(settings, database) as web:
        # It ends before the headers do, and perhaps before the answer is read.
        assert b"200 OK" not in sent(web, REQUEST + b"A: " + b"a" * 2**20)
        assert b"200 OK" in sent(web, REQUEST + b"A: " + b"a" * 2**13 + b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    ("url", "secure"), [(None, False), ("https://zoo.example", True), ("http://zoo.example", False)]
)
def test_a_cookie_stays_on_https_where_people_use_it(service, url, secure):
    settings, database, _ = service
    with client(replace(settings, tokens=TOKENS, url=url), database) as web:
        logged_in = web.post("/login", data={"token": "token-of-ann"}, headers=OWN)
    assert ("Secure" in logged_in.headers["set-cookie"].split("; ")) == secure
