"""`zoo groups` from the command line: options of several values, report, JSON, picture, superclasses, wrong input."""

import csv
import json
from io import BytesIO
from pathlib import Path

import pytest
from matplotlib.image import imread

from cards.pictures.figure import image_bytes
from cards.pictures.groups import groups_figure
from cards.words.group_verdict import group_verdict
from cli.inputs.superclasses import read_superclasses
from cli.report.deliver import HTML_START
from cli.report.groups import GroupsReport
from cli.terminal.output import show
from compare.groups.groups import compare_groups
from compare.result.groups import GroupComparison
from tests.support.networks import Net, stream
from zoo.errors import ZooError

pytestmark = pytest.mark.slow

SUPERCLASSES = "Class,Group\n" + "".join(
    f"{digit},{'round' if digit in '0689' else 'other'}\n" for digit in "0123456789"
)


@pytest.fixture
def seeds(model_folder):
    """Four seeds of the smallest member of the family, barely trained, and four of a deeper one."""
    return tuple([str(model_folder(depth, seed)) for seed in range(4)] for depth in (8, 14))


@pytest.fixture(scope="module")
def found():
    return compare_groups([Net(0), Net(1), Net(2)], [Net(3), Net(4), Net(5)], stream())


def test_two_groups_are_compared_from_the_command_line(run, seeds, tmp_path):
    a, b = seeds
    (tmp_path / "super.csv").write_text(SUPERCLASSES)
    files = ("--json", tmp_path / "g.json", "--png", tmp_path / "g.png", "--html", tmp_path / "g.html")
    files += ("--export", tmp_path / "g.csv")
    ran = run("zoo", "groups", "--a", *a, "--superclasses", tmp_path / "super.csv", "--b", *b, *files)
    assert ran.code == 0, ran.stderr
    assert max(map(len, ran.stdout.splitlines())) <= 80
    for part in (
        "Groups, on 360 digits test images",
        "Spread: mean squared difference",
        "from all 35 ways",
        "The test removes such a uniform difference in skill",
        "Accuracy by class over the seeds",
        "Accuracy by superclass over the seeds",
        "Images that differ most on half of the seeds, and their accuracy on the others",
    ):
        assert part in ran.stdout
    result = GroupComparison.from_json((tmp_path / "g.json").read_text())
    assert [model.ref for model in result.a.models] == [Path(ref).name for ref in a]
    assert len(result.b.models[0].sha256) == 64
    assert (result.dataset.name, result.dataset.examples, len(result.examples.index)) == ("digits", 360, 360)
    assert [(row.name, row.examples) for row in result.superclasses.rows] == [("round", 143), ("other", 217)]
    assert result.settings["superclasses"] == "super.csv"
    assert imread(tmp_path / "g.png").shape[1] == 2016
    assert (tmp_path / "g.html").read_bytes().startswith(HTML_START)
    rows = list(csv.DictReader((tmp_path / "g.csv").read_text().splitlines()))
    assert [int(row["index"]) for row in rows] == list(result.examples.index)
    assert [int(row["row"]) for row in rows] == list(result.examples.row)
    assert float(rows[7]["accuracy_b"]) == pytest.approx(result.examples.accuracy_b[7], abs=1e-6)


def test_options_may_be_repeated_too(run, seeds):
    a, b = seeds
    one = run("zoo", "groups", "--a", *a[:2], "--b", *b[:2], "--json", "-")
    other = run("zoo", "groups", f"--a={a[0]}", "--a", a[1], "--b", b[0], f"--b={b[1]}", "--json", "-")
    assert one.code == 0 and one.stdout == other.stdout
    mixed = run("zoo", "groups", "--json", "-", f"--b={b[0]}", b[1], "--a", *a[:2])
    assert json.loads(mixed.stdout) == json.loads(one.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--a", "x", "--b", "y", "z"), "at least two models after --a and after --b, got 1 and 2"),
        (("--a", "x", "y", "--b", "y", "z"), "expected different models, got y twice"),
    ],
)
def test_groups_that_are_none_are_refused(run, arguments, message):
    ran = run("zoo", "groups", *arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert message in ran.stderr and ran.stderr.count("\n") == 1


def test_a_missing_option_or_value_is_wrong_usage(run):
    for arguments in (("--a", "x", "y"), ("x", "--a", "y", "--b", "z"), ("--a", "--b", "x"), ("--seed", "1", "2")):
        assert run("zoo", "groups", *arguments).code == 2


def test_models_of_other_classes_are_refused_in_one_line(run, seeds, tmp_path):
    a, b = seeds
    config = json.loads((tmp_path.parent / b[0] / "config.json").read_text())
    assert config["num_classes"] == 10
    ran = run("zoo", "groups", "--a", *a[:2], "--b", b[0], renamed(b[1], tmp_path / "other"))
    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("Error: expected models of the data's classes, 10 (0, 1, 2, ...), got b2 with 10 (cat")
    assert ran.stderr.count("\n") == 1


def renamed(folder, to):
    """A copy of a model folder whose classes have other names."""
    from shutil import copytree

    copytree(folder, to)
    config = json.loads((to / "config.json").read_text())
    config["label_names"] = ["cat", *map(str, range(1, 10))]
    (to / "config.json").write_text(json.dumps(config))
    return to


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,x\nb,y\nd,z\n", "classes of the dataset in .*, got 'd' in row 3"),
        ("a,x\nb,y\n a ,z\n", "each class once in .*, got 'a' again in row 3"),
        ("class,group\na,x\n", "for each of the 3 classes in .*, got none for 'b', 'c'"),
        ("a,x\nb\nc,z\n", "a class and its superclass in each row of .*, got 1 in row 2"),
        ("a,x\nb,\nc,z\n", "a class and its superclass in each row"),
        ("", "got none for 'a', 'b', 'c'"),
    ],
)
def test_superclasses_that_do_not_fit_are_refused(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ZooError, match=message):
        read_superclasses(tmp_path / "x.csv", ("a", "b", "c"))


def test_superclasses_are_read_with_and_without_a_header(tmp_path):
    path = tmp_path / "x.csv"
    for text in ("b,y\na,x\n", "CLASS, group\r\na,x\r\n\r\nb,y\r\n", '\ufeff"a",x\nb,"y"'):
        path.write_text(text, encoding="utf-8", newline="")
        assert read_superclasses(path, ("a", "b")) == {"a": "x", "b": "y"}
    path.write_text("class,x\nb,y\n")
    assert read_superclasses(path, ("class", "b")) == {"class": "x", "b": "y"}
    path.write_bytes(b"\xff\xfe\x00")
    for missing in (path, tmp_path / "none.csv", tmp_path):
        with pytest.raises(
            ZooError, match="to be a CSV file in UTF-8, but cannot read|but .* is a folder; choose a file"
        ):
            read_superclasses(missing, ("a", "b"))


def test_the_verdict_says_what_few_seeds_cannot_tell(found):
    text = group_verdict(found)
    assert "So few seeds cannot show whether they get different images right." in text
    assert "of 3 classes differ at p < 0.05; random groups of the models have" in text
    assert "The class that differs most on half of the seeds" in text


def test_missing_numbers_are_dashes_and_notes_are_told(found, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    empty = compare_groups([Net(0), Net(1)], [Net(2), Net(3)], [(x, y % 2) for x, y in stream()])
    show(GroupsReport(empty))
    shown = capsys.readouterr().out
    assert "Note: 1 classes have no examples; their numbers are null." in shown
    assert any(line.split() == ["2", "0", *["-"] * 7] for line in shown.splitlines()), shown
    assert "None" not in shown and "nan" not in shown


def test_equal_results_give_equal_pictures(found):
    picture = image_bytes(groups_figure(found))
    assert picture == image_bytes(groups_figure(found))
    assert (imread(BytesIO(picture))[..., :3] < 0.5).any()
