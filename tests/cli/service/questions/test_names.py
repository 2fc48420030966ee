from pathlib import Path

import pytest

from cli.service.errors import NotFoundError, ServiceError
from cli.service.questions.names import model_folders, parse_dataset, parse_model
from zoo.hub.ref import HubRef
from zoo.record.names import Columns


@pytest.fixture
def models(tmp_path):
    """A folder of models beside another folder, with links out of it."""
    for folder in ("models/shallow", "models/.hidden", "models/a b", "outside/secret"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.json").write_text("{}")
    (tmp_path / "models/empty").mkdir()
    (tmp_path / "models/linked").symlink_to(tmp_path / "outside/secret")
    (tmp_path / "models/again").symlink_to(tmp_path / "models/shallow")
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("name", "ref"),
    [
        ("me/shallow", HubRef("me/shallow")),
        ("hf://me/shallow@v1", HubRef("me/shallow", "v1")),
        ("me/shallow@refs/pr/1", HubRef("me/shallow", "refs/pr/1")),
        ("models/shallow", HubRef("models/shallow")),
    ],
)
def test_a_name_with_a_slash_is_a_hub_id(models, monkeypatch, name, ref):
    monkeypatch.chdir(models.parent)
    assert parse_model(name, Path("models")) == ref


def test_other_names_are_those_of_folders(models):
    assert parse_model("shallow", models) == models / "shallow"
    assert list(model_folders(models)) == ["a b", "again", "shallow"]
    assert model_folders(models / "missing") == {}


@pytest.mark.parametrize(
    "name",
    [
        *("..", ".", ".hidden", "empty", "linked", "~", "SHALLOW", "shallow ", "shallow\0", "x" * 300, "*", "é"),
        *("shallow\\config.json", "file:shallow", "shallow@epoch1", "%2e%2e", "$HOME"),
    ],
)
def test_a_name_without_a_folder_is_unknown(models, name):
    with pytest.raises(NotFoundError, match="there is no model"):
        parse_model(name, models)


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../outside/secret", "./shallow", "shallow/", "shallow/..", "~/models/a", "a/b/c", "//x"),
        *("hf://", "hf:///etc", "file:///etc/passwd", "https://huggingface.co/me/x", "me/x@", "me/x@../y", "me/x@a b"),
        *("me/x\0", "me/x\n", f"me/{'x' * 97}", "me/x--y", "-me/x", "me/x.git", "me/ x"),
    ],
)
def test_paths_and_malformed_ids_are_refused(models, name):
    with pytest.raises(ServiceError, match=r"a path is no name|invalid name") as caught:
        parse_model(name, models)
    assert caught.value.status == 400


@pytest.mark.parametrize("name", ["py:x.py:f", "py:/tmp/x.py:f", "py:"])
def test_code_is_refused(models, name):
    with pytest.raises(ServiceError, match="would run code"):
        parse_model(name, models)


def test_snapshots_of_epochs_are_refused(models):
    with pytest.raises(ServiceError, match="snapshot of an epoch"):
        parse_model("me/shallow@epoch10", models)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("digits", ("digits", Columns())),
        ("mnist5k:8", ("mnist5k:8", Columns())),
        ("photos", (Path("/data/photos"), Columns())),
        ("photos?label=species", (Path("/data/photos"), Columns(label="species"))),
        ("hf:you/pets@v1", (HubRef("you/pets", "v1"), Columns())),
        ("cifar10", (HubRef("uoft-cs/cifar10"), Columns())),
    ],
)
def test_datasets_are_built_in_registered_or_on_the_hub(name, place):
    assert parse_dataset(name, {"photos": Path("/data/photos")}) == place


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("photo", "did you mean photos?"),
        ("/data/photos", "there is no dataset"),
        ("..", "there is no dataset"),
        ("digits?label=x", "there is no dataset"),
        ("imagenet-1k", "there is no dataset"),
        ("you/pets", "there is no dataset"),
        ("hf:pets", "expected a dataset hf:OWNER/NAME"),
        ("hf:/data", "expected a dataset hf:OWNER/NAME"),
        ("hf:you/../pets", "expected a dataset hf:OWNER/NAME"),
        ("hf:you/..", "invalid name"),
        ("photos?label=%00", "names of columns on one line"),
    ],
)
def test_other_datasets_are_refused(monkeypatch, tmp_path, name, message):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ServiceError) as caught:
        parse_dataset(name, {"photos": Path("/data/photos")})
    assert message in str(caught.value)
