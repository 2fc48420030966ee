"""`zoo show report.json`: the same report again, without models or torch."""

import json
from dataclasses import fields

import pytest

from cards.pictures.figure import image_bytes
from cards.pictures.heatmaps import heatmaps_figure
from cli.report.deliver import HTML_START, SVG_START
from cli.report.kinds import KINDS, load_result
from compare.result.base import JsonResult
from tests.support.samples import comparison, inspection

pytestmark = pytest.mark.slow


@pytest.fixture
def error(run):
    def error(*arguments, code=1):
        ran = run(*arguments)
        assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (code, "", 1)
        return ran.stderr

    return error


@pytest.mark.parametrize(
    "command",
    [("compare", "{a}", "{b}"), ("zoo", "inspect", "{a}"), ("zoo", "matrix", "{a}", "{b}")],
    ids=lambda c: c[-2],
)
def test_a_report_is_drawn_again_as_it_was(run, folders, tmp_path, command):
    places = dict(zip("ab", folders, strict=True))
    asked = [part.format(**places) for part in command]
    files = ("--png", tmp_path / "first.png", "--html", tmp_path / "first.html")
    first = run(*asked, "--json", tmp_path / "r.json", *files)
    again = run("zoo", "show", tmp_path / "r.json", "--png", tmp_path / "again.png", "--html", tmp_path / "again.html")
    assert (again.code, again.stdout) == (0, first.stdout)
    # A page drawn again has no images, which the JSON does not hold.
    for name in ("first.html", "again.html"):
        assert (tmp_path / name).read_bytes().startswith(HTML_START)
    assert (tmp_path / "again.png").read_bytes().startswith(b"\x89PNG")


def test_a_report_of_groups_is_drawn_again(run, folders, tmp_path):
    import shutil

    copies = [shutil.copytree(folders[i], tmp_path / f"{i}copy") for i in range(2)]
    first = run(
        "zoo", "groups", "--a", folders[0], copies[0], "--b", folders[1], copies[1], "--json", tmp_path / "r.json"
    )
    assert first.code == 0, first.stderr
    assert run("zoo", "show", tmp_path / "r.json").stdout == first.stdout


NOT_RESULTS = (
    b"",
    b"[]",
    b"{}",
    b'{"models": 3}',
    b"\xff\xfe",
    b"not json",
    b'{"kind": "sweep", "claims": 1}',
    b'{"kind": ["matrix"]}',
)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_listed_by_the_name_in_its_json(name):
    kind = KINDS[name]()
    assert {field.name: field.default for field in fields(kind.result)}["kind"] == name


def test_every_result_type_is_listed():
    assert {kind().result for kind in KINDS.values()} == set(JsonResult.__subclasses__())


@pytest.mark.parametrize("result", [comparison(), inspection()], ids=lambda result: result.kind)
def test_a_file_of_version_1_opens_without_a_kind(tmp_path, result):
    values = json.loads(result.to_json())
    del values["kind"]
    (tmp_path / "x.json").write_text(json.dumps(values | {"format_version": 1}))
    assert load_result(tmp_path / "x.json") == type(result).from_json(result.to_json())


@pytest.mark.parametrize("content", NOT_RESULTS)
def test_what_is_no_report_is_refused(error, tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    assert "expected a model, or the JSON of a compare, inspect, matrix, groups or reproduce" in error(
        "zoo", "show", tmp_path / "x.json"
    )


def test_a_report_with_parts_missing_or_of_another_version_is_refused(error, tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"block_structure": 1}')
    assert "expected the JSON of a Comparison, got something else" in error("zoo", "show", path)
    path.write_text(inspection().to_json().replace('"format_version":2', '"format_version":99'))
    assert "expected a result of format version 2 or 1, got 99" in error("zoo", "show", path)


def test_options_that_make_no_sense_are_refused(error, folders, tmp_path):
    (tmp_path / "x.json").write_text(comparison().to_json())
    assert "is JSON already" in error("zoo", "show", tmp_path / "x.json", "--json", "-", code=2)
    assert "need the JSON of a result" in error("zoo", "show", folders[0], "--png", tmp_path / "x.png", code=2)


def test_names_in_a_report_cannot_smuggle_markup_or_control_codes(run, tmp_path):
    evil = "[red]x[/red]\x1b[2J‮\n<script>" + "y" * 10_000
    (tmp_path / "x.json").write_text(comparison(evil, evil, (evil, "dog")).to_json())
    shown = run("zoo", "show", tmp_path / "x.json")
    assert shown.code == 0, shown.stderr
    assert "\x1b" not in shown.stdout
    assert "\u202e" not in shown.stdout
    assert "[red]" in shown.stdout


def test_a_vector_picture_and_a_page_come_from_a_report_too(run, error, tmp_path):
    (tmp_path / "x.json").write_text(comparison().to_json())
    files = ("--svg", tmp_path / "x.svg", "--html", tmp_path / "x.html")
    for _ in range(2):
        assert run("zoo", "show", tmp_path / "x.json", *files).code == 0
    assert (tmp_path / "x.svg").read_bytes().startswith(SVG_START)
    assert b"<svg" in (tmp_path / "x.svg").read_bytes()
    assert (tmp_path / "x.html").read_bytes().startswith(HTML_START)
    (tmp_path / "mine.svg").write_text('<?xml version="1.0"?><svg/>')
    assert "is not an earlier result of this kind" in error(
        "zoo", "show", tmp_path / "x.json", "--svg", tmp_path / "mine.svg"
    )


def test_the_same_result_gives_the_same_vector_picture():
    assert image_bytes(heatmaps_figure(comparison()), "svg") == image_bytes(heatmaps_figure(comparison()), "svg")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_report_that_powershell_wrote_is_read(tmp_path, encoding):
    path = tmp_path / "r.json"
    path.write_bytes(comparison().to_json().encode(encoding))
    assert load_result(path).to_json() == comparison().to_json()


def test_deep_json_is_no_result(tmp_path, error):
    path = tmp_path / "r.json"
    path.write_text('{"kind": "comparison", "models": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert "which is none" in error("zoo", "show", path) or "expected the JSON" in error("zoo", "show", path)
