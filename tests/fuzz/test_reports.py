"""Reports with something wrong in them are refused in one line, or shown."""

import io
import json

import matplotlib
import pytest
from hypothesis import given
from rich.console import Console

from cards.words.csv import disagreements_csv
from cli.report.kinds import ReportOptions, kind_of, load_result
from compare.errors import CompareError
from compare.groups.groups import compare_groups
from tests.support.fuzzing import LIMITS, one_line
from tests.support.mutations import mutated_json
from tests.support.networks import Net, stream
from tests.support.pages import several
from tests.support.samples import comparison, dominated, inspection
from tests.support.studies import reproduction, study
from zoo.errors import ZooError

pytestmark = pytest.mark.slow
RESULTS = [
    json.loads(result.to_json())
    for result in (
        comparison(),
        dominated(),
        inspection(),
        several([3, 4]),
        compare_groups([Net(0), Net(1)], [Net(2), Net(3)], stream()),
        reproduction(study(seeds=2)),
    )
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "report.json"


@LIMITS
@given(mutated_json(RESULTS))
def test_reports(path, data):
    path.write_bytes(data)
    try:
        result = load_result(path)
    except (CompareError, ZooError) as error:
        one_line(error)
        return
    kind, options = kind_of(result), ReportOptions(full=True)
    Console(file=io.StringIO(), width=80).print(kind.report(result, options))
    assert kind.page(result, options).startswith(b"<!DOCTYPE html>")
    assert kind.verdict(result)
    if result.kind == "comparison":
        disagreements_csv(result)


@LIMITS
@given(mutated_json(RESULTS))
def test_pictures(path, data):
    matplotlib.use("Agg")
    path.write_bytes(data)
    try:
        result = load_result(path)
    except (CompareError, ZooError):
        return
    picture = kind_of(result).picture(result, "svg", ReportOptions())
    assert picture.startswith(b"<?xml")
    assert b"\x1b" not in picture
