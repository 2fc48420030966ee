"""Publishing a model folder: in one commit, checked, and without pickles."""

import pickle
import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, constants

from zoo.errors import ZooError
from zoo.hub.catalog import Listed, hub_models, local_models, matching
from zoo.hub.client import hub_client
from zoo.hub.community.collection import collect
from zoo.hub.fetch import resolve
from zoo.hub.find import find_model
from zoo.hub.publish import check_target, push

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


@pytest.fixture
def folder(folders, tmp_path):
    return shutil.copytree(folders[0], tmp_path / "mine")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_folder_is_uploaded_unchanged_in_one_commit(hub, folder):
    done = push(folder, "me/m")
    assert {name: data for name, data in hub.files("me/m").items() if name != ".gitattributes"} == contents(folder)
    assert [commit.oid for commit in hub.commits("me/m")][0] == done.commit
    assert len(hub.commits("me/m")) == 2
    assert (done.url, done.changed) == (f"{hub.url}/me/m", True)


def test_an_unchanged_folder_makes_no_commit_and_a_changed_one_updates(hub, folder):
    first = push(folder, "me/m")
    again = push(folder, "me/m")
    assert (again.commit, again.changed) == (first.commit, False)
    (folder / "NOTICE").write_text("new")
    assert push(folder, "me/m", message="notes").changed
    assert hub.commits("me/m")[0].title == "notes"
    assert hub.files("me/m")["NOTICE"] == b"new"


def test_snapshots_are_published_and_found_by_epoch(hub, folder, folders, monkeypatch):
    shutil.copytree(folders[1], folder / "epochs" / "3")
    done = push(folder, "me/m")
    online = find_model("me/m@epoch3")
    assert (online.name, online.revision) == ("me/m@epoch3", done.commit)
    assert contents(online.folder)["model.safetensors"] == contents(folders[1])["model.safetensors"]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    offline = find_model("me/m@epoch3")
    assert (offline.folder, offline.revision) == (online.folder, online.revision)
    with pytest.raises(ZooError, match="not in the cache"):
        find_model("me/m@epoch4")


def test_branch_named_like_an_epoch_is_a_branch_where_there_is_no_snapshot(hub, folder):
    done = push(folder, "me/m")
    hub_client().create_branch("me/m", branch="epoch3")
    assert find_model("me/m@epoch3").revision == done.commit
    for names in ({"revision": "epoch4"}, {"tag": "epoch4"}):
        with pytest.raises(ZooError, match="epoch4 is reserved for the snapshot of that epoch"):
            push(folder, "me/m", **names)


def test_card_examples_name_the_repository_after_a_push(hub, folder):
    assert "OWNER/MODEL" in (folder / "README.md").read_text()
    push(folder, "me/m")
    card = hub.files("me/m")["README.md"].decode()
    assert 'zoo.load("me/m")' in card
    assert "OWNER" not in card
    push(folder, "lab/copy")
    assert hub.files("lab/copy")["README.md"].decode() == card.replace("me/m", "lab/copy")
    assert not push(folder, "me/m").changed


def test_user_text_in_a_card_is_unchanged_by_a_push(hub, folder):
    card = folder / "README.md"
    mine = card.read_bytes() + b"OWNER/MODEL and me/m\r\n"
    card.write_bytes(mine)
    push(folder, "me/m")
    assert card.read_bytes().endswith(b"-->\nOWNER/MODEL and me/m\r\n")
    own = b'Fine-tuned from timm/x.\r\ncreate_model("hf-hub:timm/x")\r\n'
    card.write_bytes(own)
    push(folder, "me/m")
    assert hub.files("me/m")["README.md"] == own


def test_only_the_files_of_the_model_and_pictures_are_uploaded(hub, folder):
    import torch

    torch.save({}, folder / "state")
    for name in ("optimizer.PT", "notes.txt", "__pycache__/x.pyc", ".git/config", "figures/map.png"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(b"x")
    (folder / "passwords.txt").symlink_to("/etc/passwd")
    (folder / "LICENSE").write_text("mine")
    sizes = {}
    done = push(folder, "me/m", on_files=sizes.update)
    uploaded = {"LICENSE", "README.md", "config.json", "model.safetensors", "training.json", "figures/map.png"}
    assert set(hub.files("me/m")) == uploaded | {".gitattributes"}
    assert sizes == {name: (folder / name).stat().st_size for name in uploaded}
    assert done.left_out == {
        ".git/config": "is hidden",
        "__pycache__/x.pyc": "is not part of the model",
        "notes.txt": "is not part of the model",
        "optimizer.PT": "is not part of the model",
        "passwords.txt": "is a link or no file",
        "state": "is not part of the model",
    }


SECRETS = {
    ".env": b"x",
    "sub/prod.env": b"x",
    "DotEnv.txt": b"x",
    "hf_token": b"x",
    "my-credentials.json": b"{}",
    "id_ed25519": b"x",
    "server.KEY": b"x",
    "notes.txt": b"export HF=hf_" + b"a" * 34,
    "log.txt": b"-----BEGIN OPENSSH PRIVATE KEY-----",
    "state.json": pickle.dumps({"a": [1, 2]}, 0),
    "state1.txt": pickle.dumps({"a": [1, 2]}, 1),
    "state5.csv": pickle.dumps([1], 5),
    "weights.txt": b"PK\x03\x04",
    "picture.png": pickle.dumps([1], 2),
}


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_and_pickles_must_be_named_one_by_one(hub, folder, name):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(SECRETS[name])
    assert name in push(folder, "me/m", include=["*"]).left_out
    assert name not in hub.files("me/m")
    push(folder, "me/m", include=[name])
    assert hub.files("me/m")[name] == SECRETS[name]


def test_a_hard_link_to_a_file_elsewhere_is_not_uploaded(hub, folder, tmp_path):
    (tmp_path / "private").write_bytes(b"x")
    (folder / "notes.txt").hardlink_to(tmp_path / "private")
    assert "hard link" in push(folder, "me/m", include=["*.txt"]).left_out["notes.txt"]


@pytest.mark.parametrize("name", ["tokenizer.json", "environment.yml", "keyboard.txt", "monkey.txt", "(a).txt"])
def test_harmless_names_are_no_secrets(hub, folder, name):
    (folder / name).write_bytes(b"(I am text.")
    assert push(folder, "me/m", include=["*"]).left_out == {}


def test_a_token_in_the_model_card_is_an_error(hub, folder):
    with (folder / "README.md").open("a") as card:
        card.write("hf_" + "a" * 34)
    with pytest.raises(ZooError, match="looks like a secret; repair it, or add --include README.md"):
        push(folder, "me/m")
    assert ("model", "me/m") not in hub.repos


def test_an_included_name_that_fits_no_file_is_an_error(hub, folder):
    with pytest.raises(ZooError, match="--include missing.txt fits no file"):
        push(folder, "me/m", include=["missing.txt"])


def test_cache_of_the_hub_cannot_be_pushed(hub, folder):
    push(folder, "me/m")
    with pytest.raises(ZooError, match="is a symlink, as in the Hub's cache"):
        push(resolve("me/m"), "me/copy")
    assert ("model", "me/copy") not in hub.repos


def test_private_repository_is_created_and_public_one_is_refused(hub, folder):
    push(folder, "me/secret", private=True)
    assert hub.repo("me/secret").private
    push(folder, "me/open")
    (folder / "NOTICE").write_text("not for everybody")
    with pytest.raises(ZooError, match=r"me/open is public already; make it private on its page"):
        push(folder, "me/open", private=True)
    assert "NOTICE" not in hub.files("me/open")


def test_branch_and_tag(hub, folder):
    push(folder, "me/m")
    (folder / "NOTICE").write_text("x")
    done = push(folder, "me/m", revision="trial", tag="v2")
    assert done.url == f"{hub.url}/me/m/tree/trial"
    assert "NOTICE" not in hub.files("me/m")
    assert hub.files("me/m", "trial")["NOTICE"] == b"x"
    assert hub.repo("me/m").tags == {"v2": done.commit}


@pytest.mark.parametrize("name", ["", "a b", "a..b", "-x"])
def test_invalid_tags_and_branches_are_refused_first(hub, folder, name):
    for option in ("tag", "revision"):
        with pytest.raises(ZooError, match=f"--{option} takes letters"):
            push(folder, "me/m", **{option: name})
    assert hub.requests == []


def test_tag_never_moves(hub, folder):
    first = push(folder, "me/m", tag="v1")
    assert push(folder, "me/m", tag="v1").commit == first.commit
    (folder / "NOTICE").write_text("x")
    with pytest.raises(ZooError, match="already has a tag v1, on commit"):
        push(folder, "me/m", tag="v1")
    assert hub.repo("me/m").tags == {"v1": first.commit}
    assert hub.commits("me/m")[0].oid == first.commit


def test_concurrent_commit_is_not_overwritten(hub, folder):
    push(folder, "me/m")
    (folder / "NOTICE").write_text("mine")
    hub.meanwhile("POST", "/commit/", lambda: hub.seed("me/m", {"NOTICE": "theirs"}))
    with pytest.raises(ZooError, match="someone else changed it at the same time; check its content, and push again"):
        push(folder, "me/m")
    assert hub.files("me/m")["NOTICE"] == b"theirs"


def test_damaged_upload_of_weights_is_detected(hub, folder):
    put = hub._handler.lfs_put

    def damaged(self, oid, part=None):
        put(self, oid, part)
        self.hub.blobs[oid] = bytes(len(self.hub.blobs[oid]))

    hub._handler.lfs_put = damaged
    try:
        with pytest.raises(ZooError, match=r"the uploaded model.safetensors has another hash"):
            push(folder, "me/m")
    finally:
        hub._handler.lfs_put = put


def test_failed_upload_is_reported_and_can_be_repeated(hub, folder):
    hub.fault("PUT", "/lfs/", 400, times=None)
    with pytest.raises(ZooError, match=r"me/m: the Hub refuses .status 400"):
        push(folder, "me/m")
    hub._faults.clear()
    assert push(folder, "me/m").changed


@pytest.mark.parametrize(
    ("repo_id", "token", "message"),
    [
        ("me/m", None, "publishing requires a token, and none is set; log in with `hf auth login`"),
        ("me/m", "hf_wrong", "does not accept your token"),
        ("you/m", "hf_me", "your token lacks permission"),
        ("reader/m", "hf_reader", "your token lacks permission"),
        ("m", "hf_me", "expected a repository as OWNER/NAME, got 'm'"),
        ("me/m/x", "hf_me", "invalid name"),
        ("me/" + "x" * 100, "hf_me", "invalid name"),
        ("me/.git", "hf_me", "invalid name"),
    ],
)
def test_missing_push_permission_is_explained(hub, folder, monkeypatch, repo_id, token, message):
    monkeypatch.delenv("HF_TOKEN") if token is None else monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ZooError, match=message) as raised:
        push(folder, repo_id)
    assert "hf_" not in str(raised.value)
    assert hub.repos == {}


def test_card_that_is_not_utf8_is_refused_before_anything_is_created(hub, folder):
    (folder / "README.md").write_bytes(b"\xff")
    with pytest.raises(ZooError, match="expected UTF-8 in"):
        push(folder, "me/m")
    assert hub.repos == {}


def test_rejected_card_is_reported(hub, folder):
    card = (folder / "README.md").read_text()
    (folder / "README.md").write_text(card.replace("license: apache-2.0", "license: mine"))
    with pytest.raises(ZooError, match=r'"license" must be one of'):
        push(folder, "me/m")
    assert set(hub.files("me/m")) == {".gitattributes"}


def test_invalid_folder_is_not_published(hub, folder):
    (folder / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(ZooError, match="is damaged"):
        push(folder, "me/m")
    assert hub.requests == []


def test_read_only_token_is_refused_before_long_work(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    with pytest.raises(ZooError, match="reader/m: your token is read-only; log in with a write token"):
        check_target("reader/m")


def test_answer_without_account_is_reported(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi.whoami", lambda self: {"type": "app"})
    with pytest.raises(ZooError, match="does not identify the owner of the token"):
        check_target("me/m")


def test_a_target_is_checked_before_long_work(hub):
    check_target("me/m")
    check_target("lab/m")
    with pytest.raises(ZooError, match="you may push to me or lab, not to you"):
        check_target("you/m")
    assert hub.repos == {}
    hub.seed("me/open", {"README.md": ""})
    check_target("me/open")
    with pytest.raises(ZooError, match="me/open is public already"):
        check_target("me/open", private=True)
    hub.seed("me/closed", {"README.md": ""}, private=True)
    check_target("me/closed", private=True)


def test_published_models_are_listed_by_tag(hub, folder, folders):
    commit = push(folder, "me/m").commit
    hub.seed("me/else", {"README.md": "---\ntags: [resnet-zoo]\nresnet_zoo: [nonsense]\n---\n"})
    hub.seed("you/other", {"README.md": "---\ntags: [something]\n---\n"})
    by_ref = {model.ref: model for model in hub_models(None)}
    assert set(by_ref) == {"me/m", "me/else"}
    (local,) = matching(local_models(folders[0].parent), depth=[8])
    mine = by_ref["me/m"]
    for field in ("architecture", "depth", "width", "dataset", "subset", "seed", "accuracy", "parameters"):
        assert getattr(mine, field) == pytest.approx(getattr(local, field), abs=1e-6), field
    assert (mine.kind, mine.revision) == ("hub", commit)
    assert by_ref["me/else"].depth is None
    assert list(hub_models("you")) == []


def test_a_folder_that_cannot_be_read_does_not_hide_the_others(folder, monkeypatch):
    shutil.copytree(folder, folder.parent / "closed")
    is_file = Path.is_file

    def refused(path):
        if "closed" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refused)
    assert [model.ref for model in local_models(folder.parent)] == [str(folder)]


@pytest.mark.parametrize(
    "trap",
    [
        "ignore_metadata_errors: true",
        "self: x",
        "eval_results: 3",
        "resnet_zoo: {parameters: 1.0e+400}",
        "model-index: 1",
    ],
)
def test_one_bad_card_does_not_hide_the_others(hub, folder, trap):
    push(folder, "me/m")
    hub.seed("you/bad", {"README.md": f"---\ntags: [resnet-zoo]\n{trap}\n---\n"})
    by_ref = {model.ref: model for model in hub_models(None)}
    assert by_ref["me/m"].depth == 8
    assert by_ref["you/bad"].depth is None


def test_listing_shows_private_models(hub, folder):
    push(folder, "me/m", private=True)
    assert [model.private for model in hub_models("me")] == [True]


def test_every_page_of_the_hubs_list_is_read(hub, folder, monkeypatch):
    monkeypatch.setattr(hub, "page_size", 2)
    for number in range(5):
        hub.seed(f"me/m{number}", {"README.md": "---\ntags: [resnet-zoo]\n---\n"})
    assert len(list(hub_models("me"))) == 5


def test_filters_take_one_or_several_values():
    models = [Listed(f"m{depth}-{width}", "folder", depth=depth, width=width) for depth in (8, 14) for width in (1, 2)]
    assert [model.ref for model in matching(models, depth=[14], width=None)] == ["m14-1", "m14-2"]
    assert len(matching(models, depth=[8, 14], width=[2.0])) == 2


def test_collection_holds_each_model_once(hub):
    for name in ("a", "b"):
        hub.seed(f"me/{name}", {"README.md": ""})
    first = collect("me", "ResNets on digits", ["me/a", "me/a"])
    assert (first.models, first.new) == (1, 1)
    again = collect("me", "ResNets on digits", ["me/a", "me/b"])
    assert (again.url, again.models, again.new) == (first.url, 2, 1)
    (collection,) = hub.collections.values()
    assert (collection.title, collection.items) == ("ResNets on digits", ["me/a", "me/b"])
    assert first.url == f"{hub.url}/collections/{collection.slug}"


@pytest.mark.parametrize(
    ("owner", "title", "model", "message"),
    [
        ("me", "x", "me/nothing", "me/nothing: not on"),
        ("me", "x" * 61, "me/a", "a title of 1 to 60 characters, got 61"),
        ("you", "x", "me/a", "your token lacks permission"),
        ("me", "x", "me/a@v1", "expected a model without revision, such as me/a"),
    ],
)
def test_no_collection_is_created_on_errors(hub, owner, title, model, message):
    hub.seed("me/a", {"README.md": ""})
    with pytest.raises(ZooError, match=message):
        collect(owner, title, [model])
    assert hub.collections == {}


def test_the_card_is_what_the_hub_reads(hub, folder, trained):
    push(folder, "me/m")
    card = ModelCard.load("me/m")
    card.validate()
    (result,) = card.data.eval_results
    assert (result.metric_type, result.dataset_split, result.metric_args) == ("accuracy", "test", {"seed": 0})
    assert card.data.library_name == "resnet-zoo"
    assert card.data.datasets == ["digits"]
