"""`zoo inspect` from the command line: report, JSON, picture, and wrong input."""

import json

import pytest

from cards.pictures.figure import image_bytes
from cards.pictures.inspection import inspection_figure
from cards.words.verdict import inspection_verdict
from cli.report.inspection import InspectionReport
from cli.terminal.output import show
from compare.result.inspection import Inspection
from tests.support.samples import inspection

pytestmark = pytest.mark.slow


def test_all_is_shown_within_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    show(InspectionReport(inspection(), ("structure", "components", "dominant")))
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    for part in (
        "It has a block structure score of 0.39 (0.33 to 0.41 for thresholds 0.80 to 0.95) and 1 (1 to 2) blocks, "
        "covering 44% of its layers (stage2.16 to stage2.29).",
        "The block structure score is on a scale from 0 (none) to 1; its 95 % interval over images is 0.30 to 0.45.",
        "no block is left",
        "CKA of its layers",
        "Shared first component",
        "CKA without PC1",
        "CKA without 1 image ",
        "16 to 29           90%    15 to 17     28 to 29      0.40        no",
        "17     cat    60.0%  50.0%",
        "The top 1 hold 60%",
        "block structure score is 0.00 instead of 0.39",
    ):
        assert " ".join(part.split()) in " ".join(shown.split()), part


def test_only_the_parts_asked_for_are_shown(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    show(InspectionReport(inspection(), ("dominant",)))
    shown = capsys.readouterr().out
    assert "Images that dominate layers 16 to 29" in shown
    assert "Spans of similar layers" not in shown
    assert "Shared first component" not in shown


def test_the_verdict_says_what_survives():
    found = inspection(survives=True)
    assert "Without the first component of every layer, its block survives" in inspection_verdict(found)
    assert "It has no block structure." in inspection_verdict(inspection(block=False))


def test_the_picture_shows_maps_curve_and_dominant_images():
    from io import BytesIO

    import matplotlib.image as images

    without = images.imread(BytesIO(image_bytes(inspection_figure(inspection(), {}))))
    image = image_bytes(inspection_figure(inspection(), {17: [[[0], [255]], [[255], [0]]]}))
    assert images.imread(BytesIO(image)).shape[0] > without.shape[0]


def test_a_model_is_inspected_from_the_command_line(run, folders, tmp_path):
    ran = run(
        "zoo",
        "inspect",
        folders[0],
        "--json",
        tmp_path / "i.json",
        "--png",
        tmp_path / "i.png",
        "--drop-dominant",
        "1%",
    )
    assert ran.code == 0, ran.stderr
    assert "block structure score" in " ".join(ran.stdout.split())
    found = Inspection.from_json((tmp_path / "i.json").read_text())
    assert (found.model.ref, found.dataset.name, found.dataset.examples) == (folders[0].name, "digits", 360)
    assert found.settings["drop_dominant"] == 0.01
    assert (tmp_path / "i.png").read_bytes().startswith(b"\x89PNG")
    again = run("zoo", "inspect", folders[0], "--json", "-", "--drop-dominant", "0.01")
    assert json.loads(again.stdout) == json.loads((tmp_path / "i.json").read_text())


def test_compare_tells_the_same_score(run, folders):
    pair = json.loads(run("compare", *folders, "--json", "-").stdout)
    alone = json.loads(run("zoo", "inspect", folders[0], "--json", "-").stdout)
    assert pair["inside"]["a"]["score"]["score"] == pytest.approx(alone["inside"]["score"]["score"], abs=1e-5)


@pytest.mark.parametrize("share", ["0", "1", "100%", "x", "1%%", "-1%", "", "nan"])
def test_a_share_that_is_none_is_refused(run, folders, share):
    ran = run("zoo", "inspect", folders[0], f"--drop-dominant={share}")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("Error: --drop-dominant takes a share of the images such as 1% or 0.01, got ")


def test_other_parts_and_too_many_components_are_wrong_usage(run, folders):
    for options in (("--part", "x"), ("--components", "11"), ("--components", "0")):
        assert run("zoo", "inspect", folders[0], *options).code == 2
