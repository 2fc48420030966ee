"""Requests are resolved with the real client of the Hub and the local Hub of the tests."""

import json
import shutil
import socket
from dataclasses import replace

import pytest
from huggingface_hub import constants

from cli.service.errors import (
    ForbiddenError,
    NotFoundError,
    ServiceError,
    UnavailableError,
    UnusableError,
)
from cli.service.questions.ask import AskComparison, AskMatrix
from cli.service.questions.resolve import cached, resolve
from cli.service.settings import Limits, Settings
from cli.service.work.answer import compute
from tests.support.hub import store
from zoo.errors import ZooError


@pytest.fixture
def settings(tmp_path, folders, monkeypatch):
    """Local models `a` and `b`, and an empty folder of data."""
    settings = Settings(tmp_path / "data", models=folders[0].parent)
    monkeypatch.setenv("ZOO_CACHE", str(settings.cache))
    return settings


@pytest.fixture
def push(hub):
    """Put a model folder on the Hub, and return its commit."""

    def push(repo_id, folder, without=(), **options):
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in without}
        return hub.seed(repo_id, files, **options)

    return push


def pair(a, b, dataset=None, **options):
    return AskComparison.model_validate({"a": a, "b": b, "dataset": dataset, "options": options})


def test_local_models_are_pinned_by_their_weights(settings, folders):
    question = resolve(pair("a", "b"), settings)
    assert [model.name for model in question.models] == ["a", "b"]
    assert [model.ref for model in question.models] == [str(folder) for folder in folders]
    assert [model.commit for model in question.models] == [None, None]
    assert question.models[0].sha256 != question.models[1].sha256
    assert (question.kind, question.dataset, question.dataset_ref, question.options) == (
        *("comparison", "digits", "digits", {}),
    )


def test_models_on_the_hub_are_pinned_without_downloading_weights(settings, hub, push, folders):
    first = push("me/a", folders[0], tag="v1")
    second = hub.seed("me/a", {"README.md": "later"})
    local = resolve(pair("a", "a"), settings).models[0]
    question = resolve(pair("hf://me/a", "me/a@v1"), settings)
    assert [model.name for model in question.models] == ["me/a", "me/a@v1"]
    assert [model.ref for model in question.models] == [f"hf://me/a@{second}", f"hf://me/a@{first}"]
    assert [model.commit for model in question.models] == [second, first]
    assert {model.sha256 for model in question.models} == {local.sha256}
    assert not hub.asked("safetensors")


def test_weights_that_the_hub_stores_without_sha256_are_hashed(settings, push, folders, monkeypatch):
    monkeypatch.setattr(store, "LARGE", ())
    push("me/a", folders[0])
    question = resolve(pair("me/a", "a"), settings)
    assert question.models[0].sha256 == question.models[1].sha256


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"max_examples": 100, "measures": ["knn"], "baseline": "none"}])
def test_a_result_of_the_command_line_answers_the_question(settings, hub, push, folders, run, options):
    push("me/a", folders[0]), push("me/b", folders[1])
    question = resolve(pair("me/a", "me/b", "digits", **options), settings)
    assert not cached(question, settings)
    flags = ["--max-examples", 100, "--measure", "knn", "--baseline", "none"] if options else []
    assert run("compare", "me/a", "me/b", *flags, "--quiet").code == 0
    assert cached(question, settings)
    assert not cached(resolve(pair("me/a", "me/b", "digits", seed=1), settings), settings)


@pytest.mark.slow
def test_a_matrix_of_the_command_line_answers_the_question(settings, folders, run, monkeypatch):
    ask = AskMatrix.model_validate({"models": ["a", "b"], "options": {"baseline": "none"}})
    question = resolve(ask, settings)
    assert run("zoo", "matrix", *folders, "--baseline", "none", "--quiet").code == 0
    assert question.kind == "matrix"
    assert cached(question, settings)


@pytest.mark.slow
@pytest.mark.parametrize("models", [{"a": "me/a", "b": "b"}, {"models": ["me/a", "b"]}])
def test_a_worker_finds_the_result_under_the_key_of_the_question(settings, push, folders, models):
    push("me/a", folders[0])
    body = models | {"options": {"max_examples": 50, "baseline": "none"}}
    question = resolve((AskComparison if "a" in models else AskMatrix).model_validate(body), settings)
    result = compute(question).result
    names = [
        model.name for model in (result.models if isinstance(result.models, tuple) else vars(result.models).values())
    ]
    assert names == ["me/a", "b"]
    assert cached(question, settings)


def test_a_model_that_is_deleted_meanwhile_fails_in_clear_words(settings, hub, push, folders):
    push("me/a", folders[0])
    question = resolve(pair("me/a", "b"), settings)
    del hub.repos["model", "me/a"]
    with pytest.raises(ZooError, match=r"me/a@\w+: not on .*, or private"):
        compute(question)


def test_a_model_that_changes_meanwhile_is_not_compared(settings, folders, tmp_path):
    local = shutil.copytree(folders[0], tmp_path / "models/x")
    question = resolve(pair("x", "x"), replace(settings, models=tmp_path / "models"))
    shutil.copy(folders[1] / "model.safetensors", local)
    with pytest.raises(ZooError, match="x has changed since"):
        compute(question)


def test_equal_questions_have_one_id(settings):
    question = resolve(pair("a", "b"), settings)
    assert resolve(pair("a", "b", "digits", passes=1, seed=0), settings).id == question.id
    others = [pair("b", "a"), pair("a", "b", split="train"), pair("a", "b", "mnist5k:8"), pair("a", "b", passes=2)]
    assert len({question.id, *(resolve(ask, settings).id for ask in others)}) == 5


UNKNOWN = "me/x is not on the Hub, or private; check the name."


def test_a_private_model_is_answered_like_one_that_does_not_exist(settings, hub, push, folders):
    with pytest.raises(NotFoundError) as missing:
        resolve(pair("me/x", "a"), settings)
    push("me/x", folders[0], private=True)
    with pytest.raises(NotFoundError) as private:
        resolve(pair("me/x", "a"), settings)
    assert str(missing.value) == str(private.value) == UNKNOWN
    assert resolve(pair("me/x", "a"), replace(settings, allow_private=True)).models[0].name == "me/x"


def test_a_wrong_revision_does_not_show_that_a_private_repository_exists(settings, hub, push, folders):
    asked = pair("me/x@nope", "a"), pair("a", "b", "hf:me/x@nope")

    def answers():
        return [str(pytest.raises(NotFoundError, resolve, ask, settings).value) for ask in asked]

    missing = answers()
    push("me/x", folders[0], private=True)
    hub.seed("me/x", {"a.parquet": b"x"}, kind="dataset", private=True)
    assert answers() == missing


def test_gated_models_are_refused(settings, push, folders):
    push("me/x", folders[0], gated=True)
    with pytest.raises(ForbiddenError, match="me/x is gated"):
        resolve(pair("me/x", "a"), settings)
    push("you/x", folders[0], gated=True)
    with pytest.raises(ForbiddenError, match="you/x is gated"):
        resolve(pair("you/x", "a"), replace(settings, allow_private=True))


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ({"model.safetensors"}, "expected weights in model.safetensors of me/x"),
        ({"config.json"}, "config.json"),
    ],
)
def test_a_model_without_a_necessary_file_is_unusable(settings, hub, push, folders, without, message):
    push("me/x", folders[0], without)
    with pytest.raises(UnusableError, match=message) as caught:
        resolve(pair("a", "me/x"), settings)
    assert constants.HF_HUB_CACHE not in str(caught.value)


def test_a_damaged_configuration_is_unusable_and_no_path_is_shown(settings, hub, push, folders, tmp_path):
    push("me/x", folders[0])
    hub.seed("me/x", {"config.json": '{"architecture": "cifar_resnet"}'})
    local = shutil.copytree(folders[0], tmp_path / "models/broken")
    (local / "config.json").write_text("no JSON")
    for name in ("me/x", "broken"):
        with pytest.raises(UnusableError, match="config.json") as caught:
            resolve(pair(name, name), replace(settings, models=tmp_path / "models"))
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "me/a"])
def test_large_models_are_refused_before_the_download(settings, hub, push, folders, name):
    push("me/a", folders[0])
    for limits, message in (
        (Limits(model_bytes=10_000), "bytes of weights, and this server compares models of at most 10,000"),
        (Limits(parameters=1000), "parameters, and this server compares models of at most 1,000"),
    ):
        with pytest.raises(UnusableError, match=message):
            resolve(pair(name, "b"), replace(settings, limits=limits))
    assert not hub.asked("safetensors")


def test_images_are_limited(settings):
    few = replace(settings, limits=Limits(images=100))
    assert resolve(pair("a", "b", max_examples=100), few).options == {"max_examples": 100}
    with pytest.raises(UnusableError, match="at most 100 images on this server, got 101 images"):
        resolve(pair("a", "b", max_examples=101), few)
    with pytest.raises(UnusableError, match="got all of up to 1,797 images of digits; choose max_examples"):
        resolve(pair("a", "b"), few)


def test_a_dataset_on_the_hub_is_pinned(settings, hub):
    card = {"splits": [{"name": "test", "num_examples": 200}, {"name": "train", "num_examples": 20_000}]}
    first = hub.seed("you/pets", {"README.md": f"---\ndataset_info: {json.dumps(card)}\n---\n"}, kind="dataset")
    hub.seed("you/pets", {"data.parquet": bytes(1000)}, kind="dataset", tag="v2")
    question = resolve(pair("a", "b", f"hf:you/pets@{first}?label=breed"), settings)
    assert question.dataset == f"hf:you/pets@{first}?label=breed"
    assert question.dataset_ref == f"hf:you/pets@{first}?label=breed"
    assert question.options == {}
    newest = resolve(pair("a", "b", "hf:you/pets"), settings)
    assert newest.dataset_ref == resolve(pair("a", "b", "hf:you/pets@v2"), settings).dataset_ref
    assert newest.key != question.key
    with pytest.raises(UnusableError, match="up to 20,000 images"):
        resolve(pair("a", "b", "hf:you/pets", split="train"), settings)
    with pytest.raises(UnusableError, match="at most 900; choose a smaller dataset"):
        resolve(pair("a", "b", "hf:you/pets"), replace(settings, limits=Limits(dataset_bytes=900)))


def test_a_dataset_of_unknown_size_is_used_up_to_the_limit(settings, hub):
    hub.seed("you/pets", {"data.parquet": b"x"}, kind="dataset")
    assert resolve(pair("a", "b", "hf:you/pets"), settings).options == {"max_examples": 10_000}


def test_private_and_gated_datasets_are_refused(settings, hub):
    for error, message, options in (
        (NotFoundError, "hf:me/x is not on the Hub, or private", {}),
        (NotFoundError, "hf:me/x is not on the Hub, or private", {"private": True}),
        (ForbiddenError, "hf:me/x is gated", {"gated": True}),
    ):
        if options:
            hub.clear(), hub.seed("me/x", {"a.parquet": b"x"}, kind="dataset", **options)
        with pytest.raises(error, match=message):
            resolve(pair("a", "b", "hf:me/x"), settings)


def test_a_registered_folder_is_named_and_never_shown(settings, tmp_path):
    photos = tmp_path / "secret/photos"
    (photos / "cat").mkdir(parents=True)
    (photos / "cat/1.png").write_bytes(b"x")
    registered = replace(settings, datasets={"photos": photos})
    question = resolve(pair("a", "b", "photos"), registered)
    assert (question.dataset, question.dataset_ref, question.options) == ("photos", str(photos), {})
    shutil.rmtree(photos)
    with pytest.raises(UnavailableError, match="the folder of the dataset photos is missing") as caught:
        resolve(pair("a", "b", "photos"), registered)
    assert str(tmp_path) not in str(caught.value)


def test_the_dataset_that_a_model_records_is_a_name_too(settings, tmp_path, folders):
    """A model on the Hub can record any text."""
    local = shutil.copytree(folders[0], tmp_path / "models/x")
    config = json.loads((local / "config.json").read_text())
    config["zoo"]["dataset"] = str(tmp_path)
    (local / "config.json").write_text(json.dumps(config))
    with pytest.raises(NotFoundError, match="there is no dataset"):
        resolve(pair("x", "x"), replace(settings, models=tmp_path / "models"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"permutations": 5}, "at least 19 permutations, got 5"),
        ({"measures": ["knn", "knn"]}, "a list of different names"),
        ({"layers": " , "}, "--layers takes all, blocks"),
    ],
)
def test_options_are_checked_in_the_words_of_the_command_line(settings, options, message):
    with pytest.raises(ServiceError, match=message) as caught:
        resolve(pair("a", "b", **options), settings)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("models", "status", "message"),
    [(["a", "a"], 400, "different models, got a twice"), (["a", "b", "c"], 422, "at most 2 models")],
)
def test_a_matrix_has_a_few_different_models(settings, models, status, message):
    with pytest.raises(ServiceError, match=message) as caught:
        resolve(AskMatrix(models=models), replace(settings, limits=Limits(matrix_models=2)))
    assert caught.value.status == status


def test_an_unknown_revision_is_not_found(settings, push, folders):
    push("me/a", folders[0])
    with pytest.raises(NotFoundError, match="me/a@v9: no such revision"):
        resolve(pair("me/a@v9", "a"), settings)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_hub_that_refuses_is_unavailable(settings, hub, push, folders, status, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    push("me/a", folders[0])
    hub.fault("GET", "/api/models", status, times=None)
    with pytest.raises(UnavailableError, match="me/a: the Hub"):
        resolve(pair("me/a", "a"), settings)


def test_a_hub_that_is_down_is_unavailable(settings, hub, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    for ask in (pair("me/a", "a"), pair("a", "b", "hf:you/pets")):
        with pytest.raises(UnavailableError, match="the Hub does not answer; try again later") as caught:
            resolve(ask, settings)
        assert caught.value.retry_after == 30


def test_models_in_the_cache_are_compared_offline(settings, hub, push, folders, monkeypatch):
    from zoo.hub.fetch import resolve as download

    push("me/a", folders[0])
    online = resolve(pair("me/a", "a"), settings)
    download("me/a")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert resolve(pair("me/a", "a"), settings) == online
