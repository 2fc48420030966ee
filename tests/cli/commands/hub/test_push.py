"""The Hub from the command line: train, push, list, show, pull, compare, collect, card, doctor."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from cards.model_card.model_card import training_command
from tests.support.hub.store import User
from tests.support.our_bug import our_bug
from zoo.base.files import file_sha256
from zoo.family.cifar import Variant
from zoo.record.training import TrainingRecord

BIN = Path(sys.executable).parent
BRIEF = ("--depth", "8", "--width", "0.5", "--epochs", "1", "--subset", "1/4")
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


@pytest.fixture
def error(run):
    def error(*arguments, code=1):
        ran = run(*arguments)
        assert ran.code == code, ran.stderr
        assert ran.stderr.startswith("Error: ")
        assert ran.stderr.count("\n") == 1
        assert "hf_" not in ran.stderr
        return ran.stderr

    return error


@pytest.fixture
def pushed(hub, run, folders, tmp_path):
    """A published model, and its folder."""
    folder = shutil.copytree(folders[0], tmp_path / "mine")
    assert run("zoo", "push", folder, "me/m", "--tag", "v1").code == 0
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def script(name, *arguments, home, **env):
    """A script of the project in a process of its own, with a cache of its own."""
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_CACHE"} | {"HF_HOME": str(home)} | env
    return subprocess.run([BIN / name, *map(str, arguments)], env=env, capture_output=True, text=True)


@pytest.mark.slow
def test_from_training_to_a_published_compared_pair(hub, run, here):
    trained = run("zoo", "train", *BRIEF, "--push", "me/m")
    assert trained.code == 0, trained.stderr
    folder, published = trained.stdout.splitlines()
    url, commit = published.split()
    assert (url, commit) == (f"{hub.url}/me/m", hub.commits("me/m")[0].oid)
    tagged = run("zoo", "push", folder, "me/m", "--tag", "v1")
    assert (tagged.code, hub.repo("me/m").tags) == (0, {"v1": commit})
    run("zoo", "train", *BRIEF, "--seed", "1", "--out", "second")
    assert run("zoo", "push", "second", "me/m").code == 0
    listed = json.loads(run("zoo", "list", "--hub", "me", "--json", "-").stdout)["models"]
    assert {(model["ref"], model["seed"]) for model in listed} == {(folder, 0), ("me/m", 1)}
    assert run("zoo", "list", "--hub", "me").stderr == ""
    assert run("zoo", "list", "--hub", "you").stderr == "you has published no model with `zoo push`.\n"
    # Another machine, whose cache is empty.
    empty = here / "empty"
    pulled = script("zoo", "pull", "me/m@v1", "--out", "theirs", home=empty)
    assert pulled.stdout == "theirs\n"
    assert (here / "theirs/model.safetensors").read_bytes() == (here / folder / "model.safetensors").read_bytes()
    compared = script("compare", "me/m@v1", "me/m", "--json", "-", home=empty)
    assert compared.returncode == 0, compared.stderr
    models = json.loads(compared.stdout)["models"]
    assert (models["a"]["revision"], models["b"]["revision"]) == (commit, hub.commits("me/m")[0].oid)
    assert (models["a"]["kind"], models["a"]["ref"], models["a"]["name"]) == ("hub", "me/m@v1", "me/m@v1")
    assert models["a"]["sha256"] != models["b"]["sha256"]
    offline = script("compare", "me/m@v1", "me/m", "--json", "-", home=empty, HF_HUB_OFFLINE="1")
    assert json.loads(offline.stdout)["models"] == models


def test_push_prints_address_and_commit_and_says_when_nothing_changed(hub, run, pushed):
    again = run("zoo", "push", pushed, "me/m")
    assert again.stdout == f"{hub.url}/me/m {hub.commits('me/m')[0].oid}\n"
    assert again.stderr == "nothing has changed since the last commit.\n"


def test_training_is_not_lost_if_the_push_fails(hub, run, here):
    hub.fault("POST", "/api/models/me/m/commit", 403)
    ran = run("zoo", "train", *BRIEF, "--out", "m", "--push", "me/m", "--private")
    assert ran.code == 1
    told = ran.stderr.splitlines(keepends=True)[-1]
    assert told.startswith("Error: me/m: your token lacks permission")
    assert told.endswith("The model is in m; to publish it, run `zoo push m me/m --private`.\n")
    assert (here / "m" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("repo_id", "token", "code", "message"),
    [
        ("you/m", "hf_me", 1, "you may push to me or lab, not to you"),
        ("me--m", "hf_me", 2, "invalid name"),
        ("me/m", "hf_wrong", 1, "does not accept your token"),
        ("me/m", "", 1, "log in with `hf auth login`"),
    ],
)
def test_training_does_not_begin_if_it_could_not_be_pushed(
    hub, error, here, monkeypatch, repo_id, token, code, message
):
    monkeypatch.setenv("HF_TOKEN", token)
    assert message in error("zoo", "train", *BRIEF, "--push", repo_id, code=code)
    assert list(here.glob("models*")) == []


def test_pull_without_a_folder_fills_the_cache(run, pushed):
    ran = run("zoo", "pull", "me/m@v1")
    assert set(contents(Path(ran.stdout.strip()))) == {"README.md", "config.json", "model.safetensors", "training.json"}
    assert re.fullmatch(r"me/m@v1 is commit [0-9a-f]{40}\.\n", ran.stderr)


def test_pull_never_replaces_what_is_there_unless_told_to(hub, run, error, pushed, here):
    assert run("zoo", "pull", "me/m", "--out", "x").code == 0
    card = here / "x" / "README.md"
    card.write_bytes(card.read_bytes() + b"\xffmine\r\n")
    asked = len(hub.requests)
    assert "x exists; choose another --out, or replace it with --force" in error("zoo", "pull", "me/m", "--out", "x")
    assert len(hub.requests) == asked
    pulled = run("zoo", "pull", "me/m", "--out", "x", "--force")
    assert (pulled.code, pulled.stdout) == (0, "x\n")
    assert "the card had text of yours, which is in x/README.old.md now." in pulled.stderr
    assert contents(here / "x")["README.md"] == contents(pushed)["README.md"]
    assert contents(here / "x")["README.old.md"].endswith(b"-->\n\xffmine\r\n")


def test_the_pictures_of_a_card_come_along_and_an_empty_folder_is_filled(run, pushed, here):
    run("zoo", "card", pushed)
    run("zoo", "push", pushed, "me/m")
    (here / "x").mkdir()
    assert run("zoo", "pull", "me/m", "--out", "x").code == 0
    assert contents(here / "x") == contents(pushed)


def test_a_failed_pull_leaves_nothing(hub, error, pushed, here):
    hub.corrupt("/lfs/")
    assert "is damaged" in error("zoo", "pull", "me/m", "--out", "x")
    assert list(here.glob("*x*")) == []


def test_names_from_the_hub_never_leave_the_folder(hub, run, folders, here):
    evil = {"../../evil.txt": b"x", "sub/../../evil.txt": b"x", "/tmp/evil.txt": b"x", "a.py": b"import os"}
    hub.seed("you/m", contents(folders[0]) | evil)
    assert run("zoo", "pull", "you/m", "--out", "x").code == 0
    assert set(contents(here / "x")) == {"README.md", "config.json", "model.safetensors", "training.json"}
    assert not hub.asked("evil|a.py")


def test_list_shows_what_is_here_and_on_the_hub_in_pages(hub, run, pushed, folders):
    ran = run("zoo", "list", "--out", folders[0].parent, "--hub", "me")
    header, *rows = ran.stdout.splitlines()
    assert header.split() == ["model", "data", "depth", "width", "seed", "test", "params", "commit", "updated"]
    assert [row.split()[0] for row in rows] == [str(folders[0]), str(folders[1]), "me/m"]
    commit = hub.commits("me/m")[0]
    assert rows[2].split()[1:5] == ["digits", "8", "0.5", "0"]
    assert rows[2].split()[-2:] == [commit.oid[:7], commit.date.date().isoformat()]
    second = run("zoo", "list", "--out", folders[0].parent, "--hub", "--limit", 2, "--page", 2)
    assert [row.split()[0] for row in second.stdout.splitlines()[1:]] == ["me/m"]
    assert second.stderr == "page 2 of 2; select with --page and --limit.\n"


def test_what_is_here_is_listed_when_the_hub_is_not(hub, run, folders, tmp_path):
    hub.fault("GET", "/api/models", 403, None)
    ran = run("zoo", "list", "--out", folders[0].parent, "--hub")
    assert (ran.code, len(ran.stdout.splitlines())) == (1, 3)
    assert ran.stderr.startswith("Error: models on the Hub: your token lacks permission")
    ran = run("zoo", "list", "--out", folders[0].parent, "--hub", "--json", tmp_path / "l.json")
    assert (ran.code, ran.stdout, (tmp_path / "l.json").exists()) == (1, "", False)


def test_an_earlier_list_is_replaced_also_by_an_empty_one(run, folders, here):
    for out in ("models", folders[0].parent, "models"):
        assert run("zoo", "list", "--out", out, "--json", "l.json").code == 0
    assert json.loads((here / "l.json").read_text()) == {"models": []}


def test_list_filters_and_says_when_there_is_nothing(run, error, folders, here):
    rows = json.loads(run("zoo", "list", "--out", folders[0].parent, "--depth", 14, "--json", "-").stdout)["models"]
    assert [(row["ref"], row["depth"], row["parameters"]) for row in rows] == [
        (str(folders[1]), 14, Variant(14, 0.5, 1).parameters)
    ]
    assert run("zoo", "list").stderr == "no matching models in models; `zoo train` makes one.\n"
    assert "expected --hub before an owner, got me alone" in error("zoo", "list", "me", code=2)


def test_show_tells_all_and_draws_curves_without_the_weights(hub, run, pushed):
    for ref in (pushed, "me/m@v1"):
        ran = run("zoo", "show", ref)
        # But for the command, which is there to be copied.
        assert max(len(line) for line in ran.stdout.splitlines() if not line.startswith("zoo train")) <= 80
        record = TrainingRecord.from_json((pushed / "training.json").read_bytes())
        assert {training_command(record), file_sha256(pushed / "model.safetensors")} <= set(ran.stdout.splitlines())
        for part in ("depth 8, width 0.5", "Training loss over 2 epochs", "│█", "zoo train --depth 8"):
            assert part in ran.stdout
    assert not hub.asked("model.safetensors", "GET")
    known = json.loads(run("zoo", "show", "me/m@v1", "--json", "-").stdout)
    assert known["summary"]["revision"] == hub.repo("me/m").tags["v1"]
    assert len(known["record"]["history"]) == 2
    assert known["sha256"] == json.loads(run("zoo", "show", pushed, "--json", "-").stdout)["sha256"]


@pytest.mark.slow
def test_models_of_other_classes_are_compared_by_id(hub, run, pushed, tmp_path):
    import timm
    from timm.models import save_for_hf

    model = timm.create_model("resnet18", channels=(8, 8, 16, 16), num_classes=1000, in_chans=3)
    save_for_hf(model, tmp_path / "t", safe_serialization=True)
    hub.seed("timm/resnet18.a1_in1k", contents(tmp_path / "t"))
    options = ("--layers", "blocks", "--max-examples", 20, "--json", "-")
    result = json.loads(run("compare", "me/m@v1", "timm/resnet18.a1_in1k@main", *options).stdout)
    assert result["models"]["b"]["architecture"] == "resnet18"
    assert result["models"]["b"]["accuracy"] is None
    assert result["disagreement"] is None
    assert len(result["cka"]["ab"][0]) == 8
    shown = run("compare", "timm/resnet18.a1_in1k", "me/m", *options[:-2])
    assert "Their predictions are not compared" in shown.stdout
    matrix = run("zoo", "matrix", "me/m", "timm/resnet18.a1_in1k", *options[:-2])
    assert matrix.code == 0, matrix.stderr


def test_images_must_be_named_if_no_model_says_what_it_was_trained_on(hub, error, tmp_path):
    import timm
    from timm.models import save_for_hf

    model = timm.create_model("resnet18", channels=(8, 8, 16, 16), num_classes=10)
    save_for_hf(model, tmp_path / "t", safe_serialization=True)
    assert "choose one with --dataset" in error("compare", tmp_path / "t", tmp_path / "t")


def test_collect_prints_the_address(hub, run, error, pushed):
    ran = run("zoo", "collect", "me/My ResNets", "me/m", "me/m")
    assert ran.stdout.startswith(f"{hub.url}/collections/me/my-resnets-")
    assert ran.stderr == "added 1 of 1 models.\n"
    assert "expected a collection as OWNER/TITLE" in error("zoo", "collect", "x", "me/m", code=2)
    assert f"publish it with `zoo push {pushed} OWNER/NAME`" in error("zoo", "collect", "me/x", pushed)


def test_a_card_is_written_anew_and_keeps_a_persons_text(run, error, folders, tmp_path):
    folder = shutil.copytree(folders[0], tmp_path / "m")
    card = folder / "README.md"
    before = card.read_bytes().replace(b"# resnet8", b"# changed by hand").replace(b"apache-2.0", b"mit")
    card.write_bytes(before + b"\xff My notes.\r\n")
    assert run("zoo", "card", folder).stdout == f"{card}\n"
    assert card.read_bytes().endswith(b"-->\n\xff My notes.\r\n")
    text = card.read_text(errors="replace")
    assert "license: mit" in text
    assert "# resnet8-w0.5-digits-s0" in text
    for picture in ("training.png", "cka.png"):
        assert f"]({picture})" in text
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    card.write_text("all my own")
    assert "has no line" in error("zoo", "card", folder)
    assert card.read_text() == "all my own"


def test_a_published_models_new_card_still_names_its_repository(hub, run, pushed):
    run("zoo", "card", pushed)
    assert 'zoo.load("me/m")' in (pushed / "README.md").read_text()
    assert "OWNER" not in (pushed / "README.md").read_text()


def test_a_card_needs_a_record(error, folders, tmp_path):
    folder = shutil.copytree(folders[0], tmp_path / "m")
    (folder / "training.json").unlink()
    assert "expected a model folder of `zoo train` with training.json" in error("zoo", "card", folder)


@pytest.mark.slow
def test_a_reader_of_the_card_loads_the_model_in_three_ways(hub, pushed, tmp_path):
    codes = re.findall(r"^```python\n(.*?)^```", (pushed / "README.md").read_text(), flags=re.M | re.S)
    assert len(codes) == 3
    each_by_itself = f"for code in {codes!r}: exec(code, {{}})"
    subprocess.run([sys.executable, "-c", each_by_itself], check=True, cwd=tmp_path)


@pytest.mark.parametrize(
    ("token", "found"),
    [
        ("hf_me", "as me, in lab; token: read and write"),
        ("hf_reader", "token: read-only"),
        ("hf_wrong", "does not accept your token"),
        ("", "hf auth login"),
    ],
)
def test_doctor_reports_and_gives_advice(hub, run, monkeypatch, token, found):
    monkeypatch.setenv("HF_TOKEN", token)
    ran = run("zoo", "doctor")
    assert ran.code == 0
    told = " ".join(ran.stdout.split())
    for part in ("torch 2.", "device", "torchvision", hub.url, "cache", found):
        assert part in told
    assert "hf_" not in told.lower().replace("hf_token", "").replace("hf_home", "")
    assert ("No problems found." in told) == (token == "hf_me")


def test_a_bug_in_a_check_of_doctor_keeps_its_traceback(hub, run, monkeypatch):
    monkeypatch.setattr("zoo.base.device.pick_device", our_bug("zoo.base.device"))
    with pytest.raises(ZeroDivisionError):
        run("zoo", "doctor")


def test_doctor_reports_a_check_that_fails(hub, run, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("zoo.base.device.pick_device", lambda wanted: 1 / 0)
    told = " ".join(run("zoo", "doctor").stdout.split())
    assert "device check failed (ZeroDivisionError" in told
    assert "as me" in told


def test_doctor_works_offline(hub, run, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in run("zoo", "doctor").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("push", "nowhere", "me/m"), "expected a model folder, but there is no nowhere"),
        (("push", ".", "me/m"), "has no config.json"),
        (("pull", "nowhere"), "expected a model folder or a Hub id"),
        (("pull", "me/nothing"), "me/nothing: not on"),
        (("pull", "."), "got the folder ., which is here already"),
        (("show", "me/nothing"), "me/nothing: not on"),
        (("card", "nowhere"), "expected a model folder of `zoo train`"),
    ],
)
def test_wrong_input_is_told_in_one_line(hub, error, here, arguments, message):
    assert message in error("zoo", *arguments)


FAULTS = {
    "corrupted download": (lambda hub: hub.corrupt("/lfs/"), "pull", "is damaged"),
    "broken off download": (lambda hub: hub.cut("/lfs/", 1000, None), "pull", "no complete answer from"),
    "gone": (lambda hub: hub.repos.clear(), "pull", "not on http"),
    "too many requests": (lambda hub: hub.fault("GET", "/api/models/me/m", 429, None), "pull", "wait a few minutes"),
    "trouble": (lambda hub: hub.fault("GET", "/api/models/me/m", 500, None), "pull", "try again later"),
    "gated": (lambda hub: gate(hub), "pull", "gated; ask for access"),
    "describing a file refused": (lambda hub: hub.fault("HEAD", "/resolve/", 403, None), "pull", "lacks permission"),
    "token revoked": (lambda hub: hub.users.clear(), "push", "does not accept your token"),
    "may only read": (
        lambda hub: hub.users.update(hf_me=hub.users["hf_reader"]),
        "push",
        "your token lacks permission",
    ),
    "somebody else pushed": (
        lambda hub: hub.meanwhile("POST", "/commit/", lambda: hub.seed("me/m", {"x": "y"})),
        "push",
        "someone else",
    ),
    "upload refused": (lambda hub: hub.fault("PUT", "/lfs/", 400, None), "push", "the Hub refuses (status 400"),
    "commit fails": (lambda hub: hub.fault("POST", "/commit/", 503), "push", "server error of the Hub (status 503"),
    "card check fails": (lambda hub: hub.fault("POST", "/validate-yaml", 500, None), "push", "server error of the Hub"),
}


def gate(hub):
    """Another user's gated repository of the same name."""
    hub.repo("me/m").gated = True
    hub.users["hf_me"] = User("somebody")


def other_weights(folder):
    """Something new to push."""
    path = folder / "model.safetensors"
    save_file({name: tensor + 1 for name, tensor in load_file(path).items()}, path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_in_one_line_and_loses_nothing(hub, run, pushed, tmp_path, fault):
    inject, command, message = FAULTS[fault]
    if command == "push":
        other_weights(pushed)
    before = contents(pushed)
    inject(hub)
    arguments = ("pull", "me/m", "--out", tmp_path / "x") if command == "pull" else ("push", pushed, "me/m")
    ran = run("zoo", *arguments)
    assert (ran.code, ran.stdout) == (1, "")
    assert message in ran.stderr
    *listed, error = ran.stderr.splitlines()
    assert error.startswith("Error: me/m")
    assert all(line.startswith(("uploading ", "  ")) for line in listed)
    assert "hf_" not in ran.stderr
    assert contents(pushed) == before
    assert not (tmp_path / "x").exists()


def test_push_lists_the_files_before_the_upload(hub, run, pushed):
    (pushed / "NOTICE").write_text("mine")
    (pushed / "notes.txt").write_text("mine")
    listed, *files, left_out = run("zoo", "push", pushed, "me/m").stderr.splitlines()
    assert listed == f"uploading {len(files)} files, {listed.split(', ')[1]}"
    assert [line.split()[0] for line in files] == sorted(
        path.name for path in pushed.iterdir() if path.name != "notes.txt"
    )
    assert left_out == "left out, since it is not part of the model: notes.txt. --include NAME adds a file."
