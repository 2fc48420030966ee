import shutil
from dataclasses import replace

import pytest

from cli.service.questions import catalog
from cli.service.settings import Settings

CLASSIFIER = "---\npipeline_tag: image-classification\n---\n"


@pytest.fixture
def settings(tmp_path, folders):
    """Models `a` and `b` on this server, and one whose configuration is damaged."""
    for folder in folders:
        shutil.copytree(folder, tmp_path / "models" / folder.name)
    broken = shutil.copytree(folders[0], tmp_path / "models/a-broken")
    (broken / "config.json").write_text("{")
    return Settings(tmp_path / "data", models=tmp_path / "models", datasets={"photos": tmp_path})


@pytest.fixture(autouse=True)
def fresh():
    catalog._on_hub.cache_clear()


def refs(found):
    return [model.ref for model in found.models]


def test_models_on_this_server_come_first_and_are_named_without_folders(settings, hub):
    hub.seed("me/A-net", {"README.md": CLASSIFIER})
    hub.seed("me/a-text-model", {"README.md": "---\npipeline_tag: text-generation\n---\n"})
    hub.seed("me/other", {"README.md": CLASSIFIER})
    found = catalog.models("A", settings)
    assert refs(found) == ["a", "me/A-net"]
    assert found.models[0].depth == 8
    assert found.notes == ()


def test_an_empty_text_finds_local_models_without_a_request(settings, hub):
    assert refs(catalog.models("", settings)) == ["a", "b"]
    assert not hub.requests


def test_private_models_are_listed_only_where_they_are_allowed(settings, hub):
    hub.seed("me/net", {"README.md": CLASSIFIER}, private=True)
    assert refs(catalog.models("net", settings)) == []
    assert refs(catalog.models("net", replace(settings, allow_private=True))) == ["me/net"]


def test_the_hub_is_asked_once_a_minute(settings, hub, monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 59.0)
    catalog.models("net", settings), catalog.models("net", settings)
    assert len(hub.asked("/api/models")) == 1
    monkeypatch.setattr("time.monotonic", lambda: 61.0)
    catalog.models("net", settings)
    assert len(hub.asked("/api/models")) == 2


def test_without_the_hub_the_answer_is_partial_and_says_so(settings, hub):
    hub.fault("GET", "/api/models", 503, times=1)
    assert refs(partial := catalog.models("b", settings)) == ["b"]
    assert partial.notes == ("The Hub does not answer, so its models are missing.",)
    assert catalog.models("b", settings).notes == ()


def test_datasets_are_named_without_folders(settings):
    names = catalog.datasets(settings)
    assert names == ("digits", "mnist5k", "mnist5k:14", "mnist5k:8", "cifar10", "cifar100", "photos")
