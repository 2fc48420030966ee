"""Reports in the repositories of models."""

import re
import shutil

import pytest

from cards.model_card.report_section import slug, with_report
from tests.support.samples import comparison, inspection

pytestmark = [pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning"), pytest.mark.slow]
PLACE = "reports/shallow-compared-with-deep/report"


@pytest.fixture
def pushed(hub, run, folders, tmp_path):
    folder = shutil.copytree(folders[0], tmp_path / "mine")
    assert run("zoo", "push", folder, "me/m").code == 0
    (tmp_path / "report.json").write_text(comparison().to_json())
    return tmp_path / "report.json"


def test_a_report_arrives_in_one_commit_with_a_section_in_the_card(hub, run, pushed):
    before = hub.files("me/m")
    ran = run("zoo", "push-report", pushed, "me/m")
    assert ran.stdout == f"{hub.url}/me/m {hub.commits('me/m')[0].oid}\n"
    files = hub.files("me/m")
    assert set(files) - set(before) == {f"{PLACE}.{form}" for form in ("json", "png", "html")}
    assert files[f"{PLACE}.json"] == pushed.read_bytes() + b"\n"
    assert files[f"{PLACE}.png"].startswith(b"\x89PNG")
    assert files[f"{PLACE}.html"].startswith(b"<!DOCTYPE html>")
    card = files["README.md"]
    assert card.startswith(before["README.md"])
    assert f"![Picture of the report]({PLACE}.png)".encode() in card
    assert b"shallow is 15.0 points better" in card
    assert {name: files[name] for name in before if name != "README.md"} == {
        name: data for name, data in before.items() if name != "README.md"
    }


def test_the_same_report_again_changes_nothing_and_another_takes_its_place(hub, run, pushed):
    run("zoo", "push-report", pushed, "me/m")
    commit = hub.commits("me/m")[0].oid
    assert run("zoo", "push-report", pushed, "me/m").stderr == "nothing has changed since the last commit.\n"
    assert hub.commits("me/m")[0].oid == commit
    pushed.write_text(inspection().to_json())
    run("zoo", "push-report", pushed, "me/m")
    assert hub.files("me/m")["README.md"].count(b"<!-- report ") == 2


def test_absolute_paths_of_older_reports_are_not_published(hub, run, pushed):
    text = pushed.read_text().replace('"models/shallow"', '"/home/me/secret/shallow"')
    text = text.replace('"name":"pets"', '"name":"/home/me/data/pets"')
    assert text.count("/home/me") == 2
    pushed.write_text(text)
    assert run("zoo", "push-report", pushed, "me/m").code == 0
    files = hub.files("me/m")
    assert not [name for name, data in files.items() if b"/home/me" in data]
    assert b'"ref":"shallow"' in files[f"{PLACE}.json"] and b'"name":"pets"' in files[f"{PLACE}.json"]


def test_what_cannot_be_pushed_is_told_in_one_line(hub, run, pushed, folders, tmp_path):
    for arguments, code, message in (
        ((tmp_path / "none.json", "me/m"), 1, "there is no file .*none.json"),
        ((folders[0] / "config.json", "me/m"), 1, "which is none"),
        ((pushed, "me/nothing"), 1, "me/nothing: not on"),
        ((pushed, "m"), 2, "expected a repository as OWNER/NAME"),
    ):
        ran = run("zoo", "push-report", *arguments)
        assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (code, "", 1)
        assert re.search(message, ran.stderr), ran.stderr


def test_somebody_elses_commit_in_between_is_not_buried(hub, run, pushed):
    hub.meanwhile("POST", "/commit/", lambda: hub.seed("me/m", {"README.md": "theirs"}))
    assert "someone else changed it at the same time" in run("zoo", "push-report", pushed, "me/m").stderr
    assert hub.files("me/m")["README.md"] == b"theirs"


def test_everything_around_a_section_stays_to_the_byte():
    card = b"---\nlicense: mit\n---\r\n\xff mine"
    once = with_report(card, "A & B", "Alike.")
    assert once.startswith(card + b"\n\n<!-- report a-b -->\n## A &amp; B\n\nAlike.")
    more = once + b"\nMore of mine.\n"
    assert with_report(more, "A & B", "Different.") == more.replace(b"Alike.", b"Different.")
    assert with_report(b"", "A", "x").startswith(b"<!-- report a -->")


def test_names_cannot_leave_the_folder_or_become_markup():
    assert slug("../../etc/passwd <script>") == "etc-passwd-script"
    assert slug("‮!!!") == "report"
    assert len(slug("x" * 10_000)) == 80
    section = with_report(b"", "<script>alert(1)</script>\n# x ![y](z)", "[red]")
    assert b"<script>" not in section
    assert b"\\!\\[y\\](z)" in section
