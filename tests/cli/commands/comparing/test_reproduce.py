"""`zoo reproduce` as a user meets it, on a grid of seconds."""

import json
from fractions import Fraction

import pytest

from zoo.base.sealed_folder import seal
from zoo.errors import ZooError
from zoo.grid.study import PAPER, SMALL, study_grid

TINY = ("--depths", "8,14", "--widths", "0.5,1", "--subsets", "1/4", "--seeds", "0-1", "--epochs", 1)


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_grids_hold_both_series_once():
    grid = study_grid((14, 38), (1.0, 2.0), SMALL.subsets, (0,))
    assert grid.architectures == ((14, 1.0), (38, 1.0), (14, 2.0))
    assert len(SMALL.runs("digits", {})) == 6 * 3 * 3
    assert len({run.name for run in PAPER.runs("cifar10", {})}) == (8 + 4 + 1) * 3 * 10
    with pytest.raises(ZooError, match="at least two depths and two widths, got 2 and 1"):
        study_grid((14, 38), (1.0,), SMALL.subsets, (0,))


@pytest.mark.slow
def test_grid_is_trained_measured_and_shown_and_answers_at_once_the_second_time(run, here):
    # The first seeds are trained here, since each training of the grid is a process of its own.
    for depth, width in ((8, 0.5), (14, 0.5), (8, 1)):
        size = ("--depth", depth, "--width", width, "--subset", "1/4", "--epochs", 1)
        out = f"study/models/resnet{depth}-w{width}-digits-1of4-s0"
        assert run("zoo", "train", *size, "--out", out).code == 0
    ran = run("zoo", "reproduce", "study", *TINY, "--json", "study.json")
    assert ran.code == 0, ran.stderr
    assert ran.stderr.startswith("6 networks in study/models, 3 already trained.\nPower of this study\n")
    assert "\ntraining takes about " in ran.stderr
    assert names(here / "study") == ["claims.png", "index.html", "maps.png", "models"]
    result = json.loads((here / "study.json").read_text())
    assert [len(result[key]) for key in ("claims", "networks", "heatmaps", "agreements")] == [10, 6, 3, 3 + 1]
    assert result["settings"]["training_seconds"] > 0
    assert ran.stdout.endswith("study/index.html\n")
    records = [json.loads(path.read_text()) for path in (here / "study" / "models").glob("*/training.json")]
    accuracies = {net["name"]: net["accuracy"] for net in result["networks"]}
    for record in records:
        right = sum(row["right"] for row in record["test"]) / sum(row["examples"] for row in record["test"])
        variant = record["variant"]
        name = f"resnet{variant['depth']}-w{variant['width']:g}-digits-1of4-s{record['seed']}"
        assert accuracies[name] == pytest.approx(right, abs=1e-6)
    again = run("zoo", "reproduce", "study", *TINY)
    assert again.code == 0 and again.stderr.startswith("6 networks in study/models, 6 already trained.\nWritten: ")
    assert again.stdout == ran.stdout


def test_first_seeds_come_first_and_then_every_network_gets_the_same_time():
    grid = study_grid((14, 38), (1.0, 4.0), (Fraction(1), Fraction(1, 16)), range(6))
    runs = sorted(grid.runs("digits", {}), key=grid.priority)
    networks = 3 * 2
    assert [run.seed for run in runs[: 3 * networks]] == [seed for seed in range(3) for _ in range(networks)]
    further = runs[3 * networks :]
    spent = {}
    for run in further:
        network = run.variant, run.subset
        spent[network] = spent.get(network, 0) + run.cost
        # Nobody else was behind by more than a run of their own, unless all of their seeds are trained.
        assert all(
            spent.get((other.variant, other.subset), 0) + other.cost >= spent[network]
            for other in further[further.index(run) :]
        )


@pytest.mark.slow
def test_time_limit_tests_what_is_trained(run, here):
    nothing = run("zoo", "reproduce", "study", *TINY, "--time-limit", 0)
    assert (nothing.code, nothing.stdout) == (1, "")
    assert nothing.stderr.endswith("Error: no network is trained yet; use a higher --time-limit.\n")
    # Not even of the first seed.
    size = ("--depth", 8, "--width", 0.5, "--subset", "1/4", "--epochs", 1, "--seed", 1)
    assert run("zoo", "train", *size, "--out", "study/models/resnet8-w0.5-digits-1of4-s1").code == 0
    ran = run("zoo", "reproduce", "study", *TINY, "--time-limit", 0, "--json", "study.json")
    assert ran.code == 0, ran.stderr
    assert "training" not in ran.stderr
    result = json.loads((here / "study.json").read_text())
    assert len(result["networks"]) == len(result["heatmaps"]) == 1
    assert any(note.startswith("only 1 of 6 networks are trained") for note in result["notes"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--depths", "14"), 2, "at least two depths and two widths, got 1 and 3"),
        (("--depths", "14,15"), 2, "depth must be 6n+2"),
        (("--dataset", "mnist"), 1, "expected a dataset (digits"),
        (("--jobs", 2, "--ray", "local"), 2, "got both"),
        (("--json", "no/such.json"), 1, "there is no folder no"),
    ],
)
def test_what_cannot_be_is_told_before_anything_runs(run, here, arguments, code, message):
    ran = run("zoo", "reproduce", "study", *arguments)
    assert (ran.code, ran.stdout) == (code, "")
    assert ran.stderr.startswith("Error: ") and message in ran.stderr
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("name", ["index.html", "maps.png", "claims.png"])
def test_files_of_others_stay(run, here, name):
    (here / "study").mkdir()
    (here / "study" / name).write_text("mine, and longer than the beginning of a page")
    ran = run("zoo", "reproduce", "study", *TINY)
    assert ran.code == 1 and f"study/{name} exists and is not an earlier result" in ran.stderr
    assert names(here / "study") == [name]


def test_pictures_of_others_and_sites_stay(run, here):
    (here / "study").mkdir()
    (here / "study" / "maps.png").write_bytes(b"\x89PNG\r\n\x1a\n of somebody else")
    assert "study/maps.png would be overwritten" in run("zoo", "reproduce", "study", *TINY).stderr
    (here / "site").mkdir()
    seal(here / "site")
    assert "site holds a site of `zoo site`" in run("zoo", "reproduce", "site", *TINY).stderr
    assert names(here / "study") + names(here / "site") == ["maps.png", "contents.json"]
