"""The local Hub answers the genuine client as the Hub does."""

import io
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from huggingface_hub import HfApi, ModelCard, errors, hf_hub_download, snapshot_download
from PIL import Image
from timm.models import save_for_hf

pytestmark = [pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning"), pytest.mark.slow]
CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text("{}")
    (tmp_path / "m" / "model.safetensors").write_bytes(bytes(range(256)) * 8)
    return tmp_path / "m"


def read(*names, **options):
    return Path(hf_hub_download(*names, **options)).read_text()


def upload(folder, **options):
    api = HfApi()
    api.create_repo("me/x", exist_ok=True)
    return api.upload_folder(repo_id="me/x", folder_path=folder, **options)


def test_upload_is_one_commit_and_an_unchanged_one_none(hub, folder):
    first = upload(folder)
    assert hub.files("me/x")["model.safetensors"] == (folder / "model.safetensors").read_bytes()
    assert upload(folder).oid == first.oid
    assert [commit.title for commit in hub.commits("me/x")] == ["Upload folder using huggingface_hub", "initial commit"]


def test_large_files_go_up_in_parts(hub, folder, monkeypatch):
    monkeypatch.setattr(hub, "part_size", 1000)
    upload(folder)
    assert hub.files("me/x")["model.safetensors"] == (folder / "model.safetensors").read_bytes()
    assert len(hub.asked(r"/lfs/.*/\d+$", "PUT")) == 3


def test_tag_stays_while_main_moves_on_and_branches_stand_apart(hub, folder):
    old = upload(folder).oid
    HfApi().create_tag("me/x", tag="v1")
    HfApi().create_branch("me/x", branch="side")
    (folder / "config.json").write_text('{"new": 1}')
    new = upload(folder).oid
    contents = {rev: read("me/x", "config.json", revision=rev) for rev in ("v1", "main", "side")}
    assert contents == {"v1": "{}", "main": '{"new": 1}', "side": "{}"}
    assert (HfApi().model_info("me/x", revision="v1").sha, HfApi().model_info("me/x").sha) == (old, new)


def test_token_does_not_reach_the_other_origin(hub, folder):
    upload(folder)
    snapshot_download("me/x")
    elsewhere = [request for request in hub.requests if request.host == "localhost"]
    assert {request.method for request in elsewhere} == {"PUT", "GET"}
    assert not any(request.authorized for request in elsewhere)
    assert all(request.authorized for request in hub.asked("/api/models/me/x"))


def test_stale_parent_is_refused(hub, folder):
    stale = upload(folder).oid
    hub.seed("me/x", {"other.txt": "somebody else's"})
    (folder / "config.json").write_text("{ }")
    with pytest.raises(errors.HfHubHTTPError) as raised:
        upload(folder, parent_commit=stale)
    assert raised.value.response.status_code == 412


def test_missing_things_are_told_apart(hub, monkeypatch):
    hub.seed("you/open", {"a": "1"})
    hub.seed("you/secret", {"a": "1"}, private=True)
    hub.seed("you/gated", {"a": "1"}, gated=True)
    for repo_id, kind in (
        ("you/nothing", errors.RepositoryNotFoundError),
        ("you/secret", errors.RepositoryNotFoundError),
    ):
        with pytest.raises(kind):
            HfApi().model_info(repo_id)
    with pytest.raises(errors.GatedRepoError):
        hf_hub_download("you/gated", "a")
    with pytest.raises(errors.RevisionNotFoundError):
        HfApi().model_info("you/open", revision="v9")
    with pytest.raises(errors.RemoteEntryNotFoundError):
        hf_hub_download("you/open", "b")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(errors.HfHubHTTPError, match="Invalid user token"):
        HfApi().whoami()


def test_a_card_with_bad_metadata_is_refused(hub, folder):
    ModelCard("---\nlicense: apache-2.0\n---\n").validate()
    (folder / "README.md").write_text("---\nlicense: my-own\n---\n")
    with pytest.raises(ValueError, match="must be one of"):
        upload(folder)


def test_lists_come_in_pages_and_by_tag(hub, monkeypatch):
    monkeypatch.setattr(hub, "page_size", 2)
    for number in range(5):
        hub.seed(f"me/m{number}", {"README.md": "---\ntags: [ours]\n---\n"})
    hub.seed("me/other", {"README.md": "no tags"})
    hub.seed("you/hidden", {"README.md": "---\ntags: [ours]\n---\n"}, private=True)
    assert sorted(info.id for info in HfApi().list_models(filter="ours")) == [f"me/m{number}" for number in range(5)]
    assert [info.id for info in HfApi().list_models(author="you")] == []


def test_a_list_says_only_what_was_asked_for(hub):
    hub.seed("me/x", {"README.md": "---\nlicense: mit\n---\n"})
    (brief,) = HfApi().list_models(search="X")
    assert (brief.tags, brief.sha, brief.siblings, brief.card_data) == (["license:mit"], None, None, None)
    (asked,) = HfApi().list_models(expand=["sha", "cardData"])
    assert (asked.sha, asked.card_data.license, asked.tags) == (hub.commits("me/x")[0].oid, "mit", None)
    assert HfApi().model_info("me/x").siblings[0].size is None
    assert HfApi().model_info("me/x", files_metadata=True).siblings[0].size == 21


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_transfer_that_is_cut_is_taken_up_again(hub, folder, name):
    upload(folder)
    hub.cut(name, 1)
    assert Path(hf_hub_download("me/x", name)).read_bytes() == (folder / name).read_bytes()
    assert len([request for request in hub.asked(name, "GET") if request.path.endswith(name)]) == 2


def test_collections_are_made_filled_and_deleted(hub):
    hub.seed("me/x", {"a": "1"})
    api = HfApi()
    slug = api.create_collection("My nets", private=True).slug
    assert api.create_collection("My nets", exists_ok=True).slug == slug
    api.add_collection_item(slug, "me/x", "model")
    api.add_collection_item(slug, "me/x", "model", exists_ok=True)
    assert [item.item_id for item in next(iter(api.list_collections(owner="me"))).items] == ["me/x"]
    for call in (
        lambda: api.add_collection_item(slug, "me/nothing", "model"),
        lambda: api.get_collection(slug, token="hf_reader"),
    ):
        with pytest.raises(errors.HfHubHTTPError) as raised:
            call()
        assert raised.value.response.status_code == 404
    assert api.update_collection_metadata(slug, description="thin").description == "thin"
    api.delete_collection_item(slug, api.get_collection(slug).items[0].item_object_id)
    api.delete_collection(slug)
    assert not hub.collections


def test_what_is_not_there_cannot_be_deleted(hub):
    hub.seed("me/x", {"a": "1"})
    with pytest.raises(errors.RevisionNotFoundError):
        HfApi().delete_tag("me/x", tag="v9")
    with pytest.raises(errors.RemoteEntryNotFoundError):
        HfApi().delete_file("b", "me/x")


def test_names_without_an_owner_are_not_there(hub):
    with pytest.raises(errors.RepositoryNotFoundError):
        HfApi().model_info("resnet50")
    with pytest.raises(errors.RepositoryNotFoundError):
        hf_hub_download("resnet50", "config.json")


def test_one_failure_of_the_server_is_tried_again(hub):
    hub.seed("me/x", {"a": "1"})
    hub.fault("HEAD", "/resolve/", 503)
    assert read("me/x", "a") == "1"


def test_datasets_are_loaded_by_their_own_library(hub, tmp_path):
    from datasets import load_dataset

    hub.seed("uoft-cs/cifar10", cifar10_files(200), kind="dataset")
    test = load_dataset("uoft-cs/cifar10", split="test", cache_dir=str(tmp_path / "datasets"))
    assert test.features["label"].names == CIFAR10
    assert (len(test), test[3]["img"].size, test[3]["label"]) == (200, (32, 32), 3)


def cifar10_files(count):
    """The layout of uoft-cs/cifar10: parquet with PNG images, and a card that names the classes."""
    import datasets

    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(count)]
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=CIFAR10)})
    columns = {
        "img": [{"bytes": png(image), "path": None} for image in images],
        "label": [i % 10 for i in range(count)],
    }
    buffer = io.BytesIO()
    datasets.Dataset.from_dict(columns, features=features).to_parquet(buffer)
    names = "".join(f"          '{i}': {name}\n" for i, name in enumerate(CIFAR10))
    card = f"""---
dataset_info:
  config_name: plain_text
  features:
  - name: img
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
{names}configs:
- config_name: plain_text
  data_files:
  - split: test
    path: plain_text/test-*
  default: true
---
"""
    return {"README.md": card, "plain_text/test-00000-of-00001.parquet": buffer.getvalue()}


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.slow
def test_timm_loads_what_it_saved_itself(hub, tmp_path):
    model = timm.create_model("resnet18", channels=(8, 8, 16, 16), num_classes=10)
    save_for_hf(model, tmp_path / "timm", safe_serialization=True)
    files = {path.name: path.read_bytes() for path in (tmp_path / "timm").iterdir()}
    assert sorted(files) == ["config.json", "model.safetensors"]
    hub.seed("timm/resnet18.a1_in1k", files)
    loaded = timm.create_model("hf-hub:timm/resnet18.a1_in1k", pretrained=True)
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)
