import pytest

from cli.service.questions import catalog
from cli.service.store import watches

CLASSIFIER = "---\npipeline_tag: image-classification\n---\n"


@pytest.fixture(autouse=True)
def fresh():
    catalog._on_hub.cache_clear()


def test_models_of_the_server_and_of_the_hub(service, hub):
    hub.seed("me/ab", {"README.md": CLASSIFIER})
    found = service[2].get("/api/models?q=B").json()
    assert [(model["name"], model["kind"]) for model in found["models"]] == [("b", "folder"), ("me/ab", "hub")]
    assert found["models"][0]["dataset"] == "digits"
    assert found["notes"] == []


def test_datasets_are_named_without_their_folders(service):
    found = service[2].get("/api/datasets")
    assert {"digits", "photos"} <= set(found.json()["datasets"])
    assert "secret-place" not in found.text


def test_models_are_watched_and_no_longer(service):
    _, database, web = service
    ask = {"model": "me/net", "dataset": "digits", "require": ["agreement>=0.98"]}
    added = web.post("/api/watches", json=ask)
    assert (added.status_code, added.json()) == (201, ask | {"user": "local", "commit": None})
    assert web.get("/api/watches").json() == {"watches": [added.json()]}
    assert web.post("/api/watches", json=ask).status_code == 409
    assert web.delete("/api/watches/me/net").status_code == 204
    assert web.delete("/api/watches/me/net").status_code == 404
    assert not watches.all_watches(database)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model": "a"}, "expected a Hub id OWNER/NAME without revision, got 'a'."),
        ({"model": "me/net@v1"}, "expected a Hub id OWNER/NAME without revision, got 'me/net@v1'."),
        ({"model": "../net"}, "expected a Hub id"),
        ({"model": "hf://me/net"}, "expected a Hub id OWNER/NAME without revision, got 'hf://me/net'."),
        ({"dataset": "/etc"}, "there is no dataset '/etc' on this server"),
        ({"require": ["agreement>>1"]}, "--require takes names and numbers"),
        ({"require": "agreement>=1"}, "require: expected a list"),
        ({"user": "ann"}, "user: there is no such option."),
    ],
)
def test_a_wrong_watch_is_refused(service, change, error):
    _, database, web = service
    answer = web.post("/api/watches", json={"model": "me/net"} | change)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"].startswith(error)
    assert not watches.all_watches(database)
