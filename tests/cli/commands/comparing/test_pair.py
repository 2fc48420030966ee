"""The commands as a user meets them: results, files, and one-line errors."""

import csv
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cards.words.csv import disagreements_csv
from tests.support.samples import comparison
from zoo.errors import ZooError

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent


@pytest.fixture
def error(run):
    """Runs a script that must fail, and gives the one line that it tells."""

    def error(*arguments, code=1):
        ran = run(*arguments)
        assert ran.code == code, ran.stderr
        assert ran.stdout == ""
        assert ran.stderr.startswith("Error: ")
        assert ran.stderr.count("\n") == 1
        return ran.stderr

    return error


BRIEF = ("--depth", 8, "--width", 0.5, "--epochs", 1, "--subset", "1/4")


def test_training_prints_the_folder_and_tells_the_result(run, here):
    ran = run("zoo", "train", *BRIEF)
    assert ran.stdout == "models/resnet8-w0.5-digits-1of4-s0\n"
    assert "of 360 test images right" in ran.stderr
    assert (here / "models" / "resnet8-w0.5-digits-1of4-s0" / "model.safetensors").is_file()


def test_training_again_with_the_cards_command_gives_the_same_weights(run, here):
    run("zoo", "train", *BRIEF, "--out", "x")
    command = next(line for line in (here / "x" / "README.md").read_text().splitlines() if "zoo train" in line)
    run(*shlex.split(command), "--out", "y")
    assert (here / "x" / "model.safetensors").read_bytes() == (here / "y" / "model.safetensors").read_bytes()


@pytest.mark.parametrize("command", [("compare",), ("zoo", "compare")])
def test_comparison_is_written_as_json_to_stdout_alone(run, folders, command):
    ran = run(*command, *folders, "--json", "-")
    result = json.loads(ran.stdout)
    assert result["models"]["a"]["ref"] == folders[0].name
    assert result["models"]["b"]["name"] == "b"
    assert len(result["models"]["a"]["sha256"]) == 64
    assert (len(result["cka"]["ab"]), len(result["cka"]["ab"][0])) == (30, 51)
    assert result["dataset"]["name"] == "digits"
    assert result["dataset"]["examples"] == 360
    assert result["settings"]["seed"] == 0
    span = "start stop first_layer last_layer mean_cka pc1_fraction pc1_alignment kind"
    spans = result["block_structure"]["a"] + result["block_structure"]["b"]
    assert spans and all(list(found)[:8] == span.split() for found in spans)
    assert result["cka"]["batch_size"] == 60
    assert ran.stderr == ""


@pytest.mark.slow
def test_comparison_is_the_same_each_time_and_differs_with_the_seed(run, folders):
    one, same, other = (run("compare", *folders, "--json", "-", "--seed", seed).stdout for seed in (0, 0, 1))
    assert one == same
    assert json.loads(one)["cka"] != json.loads(other)["cka"]
    assert json.loads(one)["disagreement"]["classes"] == json.loads(other)["disagreement"]["classes"]


def test_report_in_a_pipe_has_no_codes_and_fits(run, folders):
    ran = run("compare", *folders)
    assert ran.code == 0, ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr
    assert max(map(len, ran.stdout.splitlines())) <= 80
    for part in ("Models, on 360 digits test images", "a (up) with b (across)", "Accuracy by class"):
        assert part in ran.stdout


def test_files_are_written_beside_the_report(run, folders, tmp_path):
    ran = run("compare", *folders, "--json", tmp_path / "x.json", "--png", tmp_path / "x.png")
    assert "Models, on" in ran.stdout
    assert json.loads((tmp_path / "x.json").read_text())["format_version"] == 2
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.json", "x.png"]


def test_earlier_results_are_replaced_but_nothing_else(run, error, folders, tmp_path):
    (tmp_path / "x.json").write_text('{"format_version": 1}')
    (tmp_path / "thesis.tex").write_text("mine")
    run("compare", *folders, "--json", tmp_path / "x.json")
    assert "models" in json.loads((tmp_path / "x.json").read_text())
    assert "is not an earlier result" in error("compare", *folders, "--json", tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "mine"


@pytest.mark.slow
def test_links_are_followed_and_devices_written_to(run, folders, tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "x.json")
    run("compare", *folders, "--json", tmp_path / "link.json", "--png", "/dev/null")
    assert (tmp_path / "link.json").is_symlink()
    assert "models" in json.loads((tmp_path / "x.json").read_text())
    assert not Path("/dev/null").is_file()


def test_examples_and_layers_can_be_limited(run, folders):
    ran = run("compare", *folders, "--max-examples", 50, "--layers", "stage3.*", "--json", "-")
    result = json.loads(ran.stdout)
    assert result["dataset"]["examples"] == 50
    assert all(layer.startswith("stage3.") for layer in result["models"]["b"]["layers"])


def test_measures_and_null_are_shown_and_written(run, folders, tmp_path):
    options = ("--measure", "knn", "--measure", "rsa", "--measure", "procrustes", "--null", 19, "--layers", "blocks")
    ran = run("compare", *folders, *options, "--full", "--json", tmp_path / "x.json", "--png", tmp_path / "x.png")
    result = json.loads((tmp_path / "x.json").read_text())
    assert [measure["name"] for measure in result["measures"]] == ["cosine", "knn", "rsa", "procrustes"]
    assert (len(result["measures"][0]["ab"]), len(result["cka"]["null"]["above"][0])) == (3, 6)
    for title in (
        "cosine: a (up)",
        "cosine: CKA after",
        "knn: a (up)",
        "rsa: a (up)",
        "procrustes: a (up)",
        "Above chance: 100.0% of the cells of CKA",
    ):
        assert title in ran.stdout


def test_matrix_shows_every_pair(run, folders, tmp_path):
    shutil.copytree(folders[0], tmp_path / "c")
    files = ("--json", tmp_path / "x.json", "--png", tmp_path / "x.png")
    ran = run("zoo", "matrix", *folders, tmp_path / "c", "--pair", 3, 1, *files)
    assert "1         0." in ran.stdout
    assert "1 (up) with 3 (across)" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80
    result = json.loads((tmp_path / "x.json").read_text())
    assert [model["name"] for model in result["models"]] == ["a", "b", "c"]
    assert [(pair["a"], pair["b"]) for pair in result["pairs"]] == [(0, 1), (0, 2), (1, 2)]
    assert [pair["same_depth_cka"] for pair in result["pairs"]] == [None, pytest.approx(1, abs=1e-5), None]
    assert result["pairs"][0]["ceiling"] == result["pairs"][1]["best_match_cka"] == pytest.approx(1, abs=1e-5)
    assert ran.stdout.index("CKA with the most similar layer\n") < ran.stdout.index("Two seeds of one architecture\n")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_matrix_of_many_models_stays_readable(run, folders, tmp_path):
    copies = [shutil.copytree(folders[0], tmp_path / f"m{i}") for i in range(12)]
    ran = run("zoo", "matrix", *copies, "--max-examples", 40, "--layers", "head.*")
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert "…" not in ran.stdout
    assert ran.stdout.partition("Models, on")[2].count("1.000") == 5 * 12 * 11


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("a",), 2, "at least two models, got 1"),
        (("a", "b", "a"), 2, "expected different models, got a twice"),
        (("a", "b", "--pair", 1, 3), 2, "--pair must name two of the 2 models by number from 1, got 1 3"),
        (("a", "b", "--pair", 2, 2), 2, "--pair must name two"),
        (("a", "nowhere"), 1, "expected a model folder or a Hub id OWNER/NAME[@REVISION], got 'nowhere'"),
        (("a", "b", "--precision", "fp8"), 2, "precision must be"),
    ],
)
def test_bad_matrix_arguments_are_told_in_one_line(error, folders, monkeypatch, arguments, code, message):
    monkeypatch.chdir(folders[0].parent)
    assert message in error("zoo", "matrix", *arguments, code=code)


@pytest.mark.slow
def test_progress_appears_on_a_terminal(tmp_path):
    main, side = pty.openpty()
    command = [BIN / "zoo", "train", *map(str, BRIEF), "--out", tmp_path / "m"]
    process = subprocess.Popen(
        command, stderr=side, stdout=subprocess.PIPE, env=os.environ | {"TERM": "xterm-256color"}
    )
    os.close(side)
    seen = b"".join(iter(lambda: _read(main), b""))
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"epoch 1/1" in seen
    assert b"images/s" in seen


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def test_training_that_diverges_writes_nothing(error, here):
    assert "smaller --lr" in error("zoo", "train", "--depth", 8, "--epochs", 1, "--lr", 1e30)
    assert list(here.iterdir()) == []


def test_existing_folder_is_refused_before_training_unless_forced(run, error, here):
    again = ("zoo", "train", *BRIEF, "--out", "again")
    assert run(*again).code == 0
    before = (here / "again" / "training.json").read_text()
    assert "again exists; choose another --out, or replace it with --force" in error(*again)
    assert (here / "again" / "training.json").read_text() == before
    assert run(*again, "--force").code == 0
    assert (here / "again" / "training.json").read_text() != before


@pytest.fixture
def spoiled(folders, tmp_path):
    """A copy of a model folder to break."""
    shutil.copytree(folders[0], tmp_path / "spoiled")
    return tmp_path / "spoiled"


def test_broken_folders_are_told_in_one_line(run, error, folders, spoiled):
    config = json.loads((spoiled / "config.json").read_text())
    others = config | {"label_names": [f"class {i}" for i in range(10)]}
    (spoiled / "config.json").write_text(json.dumps(others))
    told = " ".join(run("compare", folders[1], spoiled).stdout.split())
    assert "Their predictions are not compared" in told
    assert (
        "b: the classes of the data, 10 (0, 1, 2, ...), are not among its classes, 10 (class 0, class 1, class 2, ...)"
        in told
    )
    (spoiled / "config.json").write_text(json.dumps(config))
    (spoiled / "model.safetensors").write_bytes(b"garbage")
    assert "is damaged" in error("compare", folders[1], spoiled)
    (spoiled / "config.json").unlink()
    assert "expected a model folder or a Hub id" in error("compare", folders[1], "nowhere")
    assert "has no config.json" in error("compare", folders[1], spoiled)


def test_model_for_images_of_another_size_gets_them_in_its_own(run, spoiled, folders):
    config = json.loads((spoiled / "config.json").read_text())
    larger = config | {"pretrained_cfg": config["pretrained_cfg"] | {"input_size": [1, 12, 12]}}
    (spoiled / "config.json").write_text(json.dumps(larger))
    result = json.loads(run("compare", spoiled, folders[0], "--max-examples", 60, "--json", "-").stdout)
    assert result["cka"]["ab"][-1][-1] != pytest.approx(1, abs=1e-3)


def test_traceback_is_shown_on_request(run, monkeypatch):
    monkeypatch.setenv("ZOO_DEBUG", "1")
    with pytest.raises(ZooError):
        run("compare", "nowhere", "nowhere")


@pytest.mark.parametrize(
    "arguments",
    [
        ("zoo", "train", "--depth", "x"),
        ("zoo", "train", "--seed", -1),
        ("zoo", "train", "--seed", 2**32),
        ("compare", "only-one"),
        ("zoo", "nonsense"),
    ],
)
def test_wrong_usage_exits_with_two(run, arguments):
    assert run(*arguments).code == 2


@pytest.mark.parametrize("option", ["--baseline", "--correction"])
def test_a_wrong_choice_is_reported_in_plain_words(run, option):
    ran = run("compare", "a", "b", option, "x")
    assert ran.code == 2
    assert f"Error: Invalid value for '{option}': 'x' is not one of" in ran.stderr


def test_variants_print_the_grid(run):
    ran = run("zoo", "variants", "--depth", 14, "--depth", 38, "--width", 1, "--json", "-")
    rows = [(row["parameters"], row["representations"]) for row in json.loads(ran.stdout)]
    assert rows == [(175_626, 51), (565_386, 135)]
    assert "56,065,290" in run("zoo", "variants").stdout


@pytest.mark.parametrize("command", ["zoo", "compare", "zoo train", "zoo variants", "zoo compare"])
def test_every_command_has_help(run, command):
    ran = run(*command.split(), "--help")
    assert ran.code == 0
    assert "Usage:" in ran.stdout


def test_disagreements_are_exported_for_other_programs(run, folders, here):
    assert run("compare", *folders, "--export", "d.csv", "--json", "d.json").code == 0
    rows = list(csv.DictReader((here / "d.csv").read_text().splitlines()))
    examples = json.loads((here / "d.json").read_text())["disagreement"]["examples"]
    assert [int(row["index"]) for row in rows] == [example["index"] for example in examples]
    assert [row["prediction_a"] for row in rows] == [str(example["prediction_a"]) for example in examples]
    assert float(rows[0]["confidence_a"]) == examples[0]["confidence_a"]
    assert [int(row["row"]) for row in rows] == [example["row"] for example in examples]
    assert {row["path"] for row in rows} == {""}


def test_an_export_never_replaces_a_file_of_another_kind(error, folders, here):
    (here / "mine.csv").write_text("index,label,mine\n")
    line = error("compare", *folders, "--export", "mine.csv", "--json", "d.json")
    assert "mine.csv exists and is not an earlier result of this kind" in line
    assert (here / "mine.csv").read_text() == "index,label,mine\n"
    assert not (here / "d.json").exists()
    assert "--json and --export must be two files" in error("compare", *folders, "--export", "d", "--json", "d", code=2)


def test_names_that_a_spreadsheet_would_run_are_made_harmless():
    assert "\n17,'=cmd(),'=cmd(),0.990000,dog,0.875000,,\n" in disagreements_csv(comparison(classes=("=cmd()", "dog")))


def test_an_unknown_correction_is_wrong_usage(run, folders):
    assert run("compare", *folders, "--correction", "x").code == 2


def test_paths_that_a_spreadsheet_would_run_stay_paths():
    result = comparison()
    examples = tuple(replace(example, path="=one/1.png") for example in result.disagreement.examples)
    text = disagreements_csv(replace(result, disagreement=replace(result.disagreement, examples=examples)))
    assert text.endswith(",./=one/1.png,\n")
