"""Models from the Hub: pinned, checked, only necessary files, and clear errors."""

import json
import os
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import pytest
import torch
from huggingface_hub import close_session, constants

from zoo.errors import ZooError
from zoo.hub.client import account, hub_client
from zoo.hub.errors import hub_errors
from zoo.hub.fetch import resolve
from zoo.hub.find import find_model
from zoo.hub.ref import HubRef, parse_ref
from zoo.model_folder.checkpoint import load_checkpoint

BIN = Path(sys.executable).parent


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def published(hub, folders):
    """A repository with two versions of a model, the first of them tagged v1; returns the commit of v1."""
    first = hub.seed("me/m", contents(folders[0]) | {"pytorch_model.bin": b"pickle", "notes/big.png": b"png"}, tag="v1")
    hub.seed("me/m", contents(folders[1]))
    return first


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("me/m", HubRef("me/m")),
        ("hf://me/m@v1", HubRef("me/m", "v1")),
        ("timm/resnet18.a1_in1k@main", HubRef("timm/resnet18.a1_in1k", "main")),
        ("me/m@feature/x", HubRef("me/m", "feature/x")),
    ],
)
def test_references_to_the_hub(text, ref):
    assert parse_ref(text) == ref


@pytest.mark.parametrize(
    "text",
    [
        *("nowhere", "a/b/c", "./a/b", "/a/b", "me/m@", "me/m@../x", "me/m@a/../../b", "", "a b/c"),
        *("./m", "../m", "~/m", "~me/m", "me/", "me//m", "/m", "C:\\me\\m", "C:/m", "\\\\host\\m", "me\\m", "$HOME/m"),
        *("a/../b", "hf://./m", "hf://~/m", "file:///m", "https://huggingface.co/me/m", "m" * 5000),
        *("me/m\0", "me/\u202em", "me/m\n", "hf:me/m", "datasets/me/m", "me/m#x", "me/m?x", "*/m", "me/*"),
    ],
)
def test_invalid_references_are_refused(text):
    with pytest.raises(ZooError, match="expected a model folder or a Hub id"):
        parse_ref(text)


def test_folder_takes_precedence_over_hub_id_and_file_is_refused(here):
    (here / "me" / "m").mkdir(parents=True)
    (here / "me" / "file").touch()
    assert parse_ref("me/m").is_dir()
    with pytest.raises(ZooError, match="expected a model folder or a Hub id"):
        parse_ref("me/file")


def test_a_missing_name_among_models_is_a_folder_and_no_hub_id(here):
    for name in ("models/deep-s0", "mine/wide-s0"):
        (here / name).mkdir(parents=True)
        (here / name / "config.json").touch()
    for ref, near in (("models/deep-s1", "models/deep-s0"), ("mine/wide-s1@v1", "mine/wide-s0")):
        with pytest.raises(ZooError, match=f"there is no {ref}; did you mean {near}\\? Write hf://{ref} for"):
            parse_ref(ref)
    assert parse_ref("hf://models/deep-s1") == HubRef("models/deep-s1")
    with pytest.raises(ZooError, match="got 'deep-s0'; did you mean models/deep-s0\\?"):
        parse_ref("deep-s0")


def test_a_folder_without_models_is_no_reason_against_a_hub_id(here):
    (here / "me" / "papers").mkdir(parents=True)
    assert parse_ref("me/m") == HubRef("me/m")


@pytest.mark.parametrize("ref", ["models/m", "model/m", "modles/m", "Models/m", "my-model/m", "my_models/m"])
def test_a_mistyped_folder_of_models_is_not_asked_of_the_hub(here, ref):
    (here / "my-models" / "deep").mkdir(parents=True)
    (here / "my-models" / "deep" / "config.json").touch()
    with pytest.raises(ZooError, match=f"there is no {ref}; .*Write hf://{ref} for a model on the Hub"):
        parse_ref(ref)
    assert parse_ref(f"hf://{ref}") == HubRef(ref)


def test_models_with_similar_names_are_named(here):
    (here / "models" / "deep").mkdir(parents=True)
    (here / "models" / "deep" / "config.json").touch()
    for ref in ("model/deep", "models/deap"):
        with pytest.raises(ZooError, match="did you mean models/deep"):
            parse_ref(ref)


def test_a_tag_is_resolved_while_main_has_moved_on(published, hub, folders):
    model = find_model("me/m@v1")
    assert (model.kind, model.revision, model.name) == ("hub", published, "me/m@v1")
    assert contents(model.folder) == {
        name: data for name, data in contents(folders[0]).items() if name in ("config.json", "model.safetensors")
    }
    assert find_model("me/m").config.variant.depth == 14
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(load_checkpoint(resolve(f"me/m@{published}"))(x), load_checkpoint(folders[0])(x))


def test_abbreviated_commit_hash_is_resolved(published):
    assert find_model(f"me/m@{published[:7]}").revision == published
    with pytest.raises(ZooError, match="no such revision"):
        find_model("me/m@0000000")


def test_only_configuration_and_weights_are_downloaded_once(published, hub):
    resolve("me/m@v1")
    resolve("me/m@v1")
    downloads = [request.path.rsplit("/", 1)[1] for request in hub.asked("/resolve/", "HEAD")]
    assert downloads == ["config.json", "model.safetensors"]


def test_cache_is_used_offline(published, hub, monkeypatch):
    online = find_model("me/m@v1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    before = len(hub.requests)
    offline = find_model("me/m@v1")
    assert (offline.folder, offline.revision, offline.sha256) == (online.folder, published, online.sha256)
    assert resolve(f"me/m@{published}") == online.folder
    assert len(hub.requests) == before
    with pytest.raises(ZooError, match=r"config.json of me/m is not in the cache.*run `zoo pull me/m` once"):
        find_model("me/m")


def test_failed_download_keeps_the_cache_intact(published, hub, folders, monkeypatch):
    online = find_model("me/m")
    hub.seed("me/m", {"config.json": "{"})
    with pytest.raises(ZooError, match="not a model configuration"):
        find_model("me/m")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert find_model("me/m").revision == online.revision


def test_damaged_downloads_are_deleted(published, hub):
    hub.corrupt("/lfs/")
    with pytest.raises(ZooError, match="me/m: model.safetensors is damaged"):
        resolve("me/m")
    assert load_checkpoint(resolve("me/m"))


def test_damaged_cache_is_detected_offline(published, hub, monkeypatch):
    weights = resolve("me/m@v1") / "model.safetensors"
    blob = weights.resolve()
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-1] + b"\xff")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ZooError, match="is damaged"):
        resolve("me/m@v1")


def test_missing_files_are_named(hub, folders):
    hub.seed("me/m", {"model.bin": b"x"})
    with pytest.raises(ZooError, match=r"expected config.json in me/m, got model.bin"):
        resolve("me/m")
    hub.seed("me/m", {"config.json": contents(folders[0])["config.json"], "pytorch_model.bin": b"x"})
    with pytest.raises(ZooError, match=r"expected weights in model.safetensors of me/m, got only .*model.bin"):
        resolve("me/m")


def test_nothing_is_downloaded_of_a_model_without_safetensors(hub, folders):
    hub.seed("me/m", {"config.json": contents(folders[0])["config.json"], "pytorch_model.bin": b"x"})
    with pytest.raises(ZooError, match="only .safetensors files are read"):
        resolve("me/m")
    assert hub.asked("/resolve/") == []


# Long enough for the tests that run before it.
IN_HOURS = formatdate(time.time() + 10_000, usegmt=True)


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (429, {"Retry-After": "1200"}, "too many requests; try again in 1,200 seconds"),
        (429, {"Retry-After": IN_HOURS}, "too many requests; try again in [0-9],[0-9]+ seconds"),
        (429, {"RateLimit": '"api";r=0;t=55'}, "too many requests; try again in 55 seconds"),
        (429, {"Retry-After": "0"}, "too many requests; try again.$"),
        (429, {"Retry-After": "Thu, 31 Dec 2099 23:59:59 GMT"}, "too many requests; try again later.$"),
        (503, {"Retry-After": "99999999999"}, "server error of the Hub .status 503.; try again later.$"),
        (429, {"Retry-After": "soon"}, "too many requests; wait a few minutes and try again"),
        (503, {"Retry-After": "30"}, "status 503.; try again in 30 seconds"),
    ],
)
def test_the_hub_says_how_long_to_wait(published, hub, status, headers, message):
    hub.fault("GET", "/api/models/me/m", status, times=None, headers=headers)
    with pytest.raises(ZooError, match=message):
        resolve("me/m")


@pytest.mark.parametrize("headers", [{"Retry-After": "100000"}, {"RateLimit": '"api";r=0;t=3600'}])
def test_the_client_does_not_sleep_for_hours(published, hub, monkeypatch, headers):
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"slept {seconds} s"))
    hub.fault("HEAD", "/resolve/", 429, times=None, headers=headers)
    with pytest.raises(ZooError, match="too many requests; try again"):
        resolve("me/m")


def test_a_hub_that_never_answers_is_given_up(hub, monkeypatch):
    hub.meanwhile("GET", "/whoami", lambda: time.sleep(2))
    monkeypatch.setattr("zoo.hub.client.TIMEOUT", 0.5)
    close_session()
    with pytest.raises(ZooError, match="no complete answer from .* .ReadTimeout"):
        account(hub_client(), "your token")
    close_session()


def test_missing_private_and_gated_models_are_reported(hub, folders, monkeypatch):
    hub.seed("you/secret", contents(folders[0]), private=True)
    hub.seed("you/gated", contents(folders[0]), gated=True)
    for ref, message in (
        ("you/nothing", f"you/nothing: not on {hub.url}, or private; check the name, or log in with `hf auth login`"),
        ("you/secret", "or private"),
        ("you/gated", "gated; ask for access on its page"),
        ("you/gated@v9", "you/gated@v9: no such revision"),
        ("me--/x", "invalid name"),
        (f"me/{'x' * 100}", "invalid name"),
    ):
        with pytest.raises(ZooError, match=message):
            resolve(ref)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong_and_secret")
    with pytest.raises(ZooError, match="does not accept your token; correct HF_TOKEN") as raised:
        resolve("you/open")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("method", "pattern", "status", "message"),
    [
        ("GET", "/api/models/me/m", 429, "too many requests; wait a few minutes"),
        ("GET", "/api/models/me/m", 500, "server error of the Hub .status 500"),
        ("GET", "/lfs/", 503, "server error of the Hub .status 503"),
        ("GET", "/api/models/me/m", 403, "your token lacks permission"),
        # The client tries again for 23 seconds.
        pytest.param("HEAD", "/resolve/", 429, "too many requests; wait a few minutes", marks=pytest.mark.slow),
        ("HEAD", "/resolve/", 403, "your token lacks permission"),
        ("GET", "/api/models/me/m", 400, "the Hub refuses .status 400"),
    ],
)
def test_failures_of_the_hub_are_reported(published, hub, method, pattern, status, message):
    hub.fault(method, pattern, status, times=None)
    with pytest.raises(ZooError, match=message):
        resolve("me/m")


def test_unreachable_hub_is_reported(hub):
    nobody = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    ran = subprocess.run([BIN / "zoo", "pull", "me/m"], env=nobody, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Error: me/m: no complete answer from http://127.0.0.1:9 (ConnectError); check the network" in ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.slow
def test_interrupted_download_is_reported_and_leaves_no_partial_file(published, hub):
    hub.cut("/lfs/", 1000, times=None)
    with pytest.raises(ZooError, match="me/m: model.safetensors"):
        resolve("me/m")
    assert not list(Path(constants.HF_HUB_CACHE).rglob("model.safetensors"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "not a model configuration"),
        ({"architecture": "../../etc/passwd"}, "a timm architecture, got '../../etc/passwd'"),
        ({"architecture": "no_such_net", "num_classes": 1, "input_size": [3, 8, 8]}, "got 'no_such_net'; update timm"),
        ({"architecture": "resnet18", "num_classes": 10**9, "input_size": [3, 8, 8]}, "num_classes must be from"),
        ({"architecture": "resnet18", "num_classes": 2, "input_size": [3, 8, 10**6]}, "input_size must be"),
        ({"model_args": {"checkpoint_path": "x.pt"}}, "model_args must describe a model, got 'checkpoint_path'"),
        ({"model_args": {"pretrained_cfg_overlay": {}}}, "model_args must describe a model"),
        ({"model_args": {"block": "/etc/passwd"}}, "expected words, numbers up to"),
        ({"model_args": {"layers": [10**9] * 4}}, "expected words, numbers up to"),
        ({"model_args": {"layers": [[[[[1]]]]]}}, "expected words, numbers up to"),
        ({"model_args": {"num_classes": 7}}, "expected equal num_classes, got 2, and 7"),
        ({"model_args": {"x": [0] * 2000}}, "at most 1000 values"),
    ],
)
def test_hostile_configurations_are_refused_before_the_weights_are_fetched(hub, config, message):
    if isinstance(config, dict) and "architecture" not in config:
        images = {"input_size": [3, 8, 8], "mean": [0, 0, 0], "std": [1, 1, 1]}
        config = {"architecture": "resnet18", "num_classes": 2, "pretrained_cfg": images} | config
    hub.seed(
        "me/m", {"config.json": config if isinstance(config, str) else json.dumps(config), "model.safetensors": b""}
    )
    with pytest.raises(ZooError, match=message):
        resolve("me/m")
    assert not hub.asked("/resolve/.*/model.safetensors")


def test_huge_configuration_is_not_downloaded(hub):
    hub.seed("me/m", {"config.json": b" " * 10_000_001, "model.safetensors": b""})
    with pytest.raises(ZooError, match=r"me/m: expected a config.json of at most 10,000,000 bytes"):
        resolve("me/m")
    assert not hub.asked("/resolve/")


@pytest.mark.parametrize("trap", ["ignore_metadata_errors: true", "self: x"])
def test_card_that_breaks_the_client_is_reported(hub, folders, trap):
    hub.seed("you/bad", contents(folders[0]) | {"README.md": f"---\n{trap}\n---\n"})
    with pytest.raises(ZooError, match="you/bad: invalid answer of the Hub"):
        resolve("you/bad")


@pytest.mark.parametrize(
    "answer",
    [b"", b"<!DOCTYPE html>", b"null", b"[]", b"5", b"{", b"[" * 100_000, b'{"siblings": [{"rfilename": null}]}'],
)
def test_answers_that_are_none_are_reported(hub, monkeypatch, answer):
    import huggingface_hub

    def answered(client, *args, **options):
        return huggingface_hub.ModelInfo(**{"id": "me/m"} | json.loads(answer))

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", answered)
    with pytest.raises(ZooError, match="me/m: invalid answer of the Hub .*check HF_ENDPOINT"):
        resolve("me/m")


def test_full_disk_is_reported():
    with (
        pytest.raises(ZooError, match="me/m: no space left on the disk; free some, or set HF_HOME"),
        hub_errors("me/m"),
    ):
        Path("/dev/full").write_bytes(b"x")
