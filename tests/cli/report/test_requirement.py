"""`--require`: what is a requirement, when a comparison meets it, and what `compare` does if not."""

import json
from dataclasses import replace

import pytest

from cli.report.requirement import parse_requirement
from compare.result.comparison import Comparison
from tests.support.samples import comparison
from zoo.errors import UsageError


def with_numbers(**numbers):
    result = comparison()
    return replace(result, disagreement=replace(result.disagreement, **numbers))


RESULT = with_numbers(agreement=0.98, accuracy_a=0.99, accuracy_b=0.9800004, both_wrong=3, p_value=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "agreement>=0.98",
        "agreement <= 0.98",
        " agreement == .98 ",
        "both_wrong > 2",
        "both_wrong < 3.5e0",
        "agreement != 1",
        # With 6 digits, as in the JSON, both sides are 0.98.
        "accuracy_b == accuracy_a - 0.01",
        "p_value == 0",
        "0.01 + accuracy_b >= accuracy_a",
        "-agreement - 1 + 2 == +0.02",
        "disagreement.agreement == agreement",
        "models.a.parameters > 0",
        "dataset.examples > 1",
    ],
)
def test_a_requirement_that_holds_has_no_failure(text):
    assert parse_requirement(text).failure(RESULT) is None


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("agreement>0.98", "agreement is 0.98"),
        ("both_wrong == 2", "both_wrong is 3"),
        ("accuracy_b >= accuracy_a + 0.000001", "accuracy_b is 0.98, accuracy_a is 0.99"),
        ("agreement + agreement < 1", "agreement is 0.98"),
    ],
)
def test_a_failure_names_the_numbers(text, failure):
    assert parse_requirement(text).failure(RESULT) == failure


@pytest.mark.parametrize("comparison", ["<", "==", "!=", ">="])
def test_null_meets_no_requirement(comparison):
    result = replace(RESULT, inside=None, disagreement=replace(RESULT.disagreement, accuracy_a=None))
    for name in ("accuracy_a", "inside.a.score.score"):
        assert parse_requirement(f"{name} {comparison} 0.5").failure(result) == f"{name} is null"
    assert parse_requirement(f"agreement {comparison} accuracy_a").failure(result) == (
        "agreement is 0.98, accuracy_a is null"
    )
    no_classes = replace(RESULT, disagreement=None)
    assert parse_requirement(f"agreement {comparison} 0.5").failure(no_classes) == "agreement is null"


def test_names_are_the_numbers_of_the_json():
    result = comparison()
    values = json.loads(result.to_json())["disagreement"]
    for name, value in values.items():
        if isinstance(value, int | float):
            assert parse_requirement(f"{name} == {value}").failure(result) is None, name
        elif value is not None:
            with pytest.raises(UsageError, match="knows no number"):
                parse_requirement(f"{name} == 0")
    value, low, high = values["difference"]
    text = f"difference.value + difference.low + difference.high == {value} + {low} + {high}"
    assert parse_requirement(text.replace("+ -", "- ")).failure(result) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", ">=", "agreement", "agreement>=", ">=0.98", "agreement=>0.98", "agreement=0.98", "agreement===0.98"),
        *("0.5<agreement<1", "agreement>=0.98 and churn<1", "agreement>=(0.98)", "agreement>=0.9*2", "1>0"),
        *("agreement>=--1", "agreement>=1 2", "agreement>=1e999", "agreement>=nan>0", "agreement>=0x1"),
        *("__import__('os').system('x')>0", "agreement[0]>1", "agreement>=٣", "agreement>=1_0", "a\n>=1;b"),
    ],
)
def test_a_malformed_requirement_is_wrong_usage(text):
    with pytest.raises(UsageError, match="--require takes names and numbers"):
        parse_requirement(text)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("agrement", "; did you mean agreement?"),
        ("accuracy", "; did you mean accuracy_"),
        ("difference", "; did you mean difference.low"),
        ("models.a.layers", "; did you mean models.a"),
        ("baseline.a.abov", "; did you mean baseline.a.above"),
        ("classes.accuracy_a", "; did you mean accuracy_a"),
        ("settings.seed", "; cli/README.md lists the numbers."),
        ("agreement.real", "; did you mean agreement"),
        ("agreement.__class__", "knows no number"),
    ],
)
def test_an_unknown_number_is_wrong_usage_with_near_names(name, near):
    with pytest.raises(UsageError, match="knows no number") as error:
        parse_requirement(f"{name}>0")
    assert near in str(error.value)


OPTIONS = ("--max-examples", 60, "--layers", "blocks", "--baseline", "none")


def test_a_comparison_that_fails_a_requirement_is_written_before_the_exit(run, folders, here):
    requirements = ("--require", "agreement>1", "--require", "agreement<=1", "--require", "baseline.a.above>0")
    files = ("--json", "r.json", "--html", "r.html", "--export", "r.csv")
    first, again = (run("compare", *folders, *OPTIONS, *requirements, *files) for _ in range(2))
    agreement = json.loads((here / "r.json").read_text())["disagreement"]["agreement"]
    assert first.code == 3
    assert first.stderr.splitlines() == [
        "Written: r.csv, r.json, r.html.",
        f"Requirement not met: agreement>1 (agreement is {agreement})",
        "Requirement not met: baseline.a.above>0 (baseline.a.above is null)",
    ]
    assert "Accuracy by class" in first.stdout
    assert sorted(path.name for path in here.iterdir()) == ["r.csv", "r.html", "r.json"]
    # From the cache.
    assert again == first


def test_a_gate_in_automation_prints_failures_alone_on_stderr(run, folders):
    failing = run("compare", *folders, *OPTIONS, "--quiet", "--json", "-", "--require", "churn<0")
    assert failing.code == 3
    assert failing.stderr.count("\n") == 1 and failing.stderr.startswith("Requirement not met: churn<0 (churn is ")
    assert Comparison.from_json(failing.stdout).kind == "comparison"
    passing = run("compare", *folders, *OPTIONS, "--quiet", "--json", "-", "--require", "churn>=0")
    assert (passing.code, passing.stdout, passing.stderr) == (0, failing.stdout, "")


def test_a_wrong_requirement_stops_before_any_work(run, here):
    ran = run("compare", "no/model/here", "b", "--require", "agrement>=0.9", "--json", "r.json")
    assert (ran.code, ran.stdout, list(here.iterdir())) == (2, "", [])
    assert ran.stderr == "Error: --require knows no number agrement; did you mean agreement?\n"
