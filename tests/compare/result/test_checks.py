"""Results from JSON whose shapes and indices contradict each other are refused in one line."""

import json

import pytest

from compare.errors import CompareError
from compare.groups.groups import compare_groups
from compare.result.comparison import Comparison
from compare.result.inspection import Inspection
from tests.support.networks import Net, stream
from tests.support.pages import several
from tests.support.samples import comparison, dominated, inspection
from tests.support.studies import reproduction, study


@pytest.fixture(scope="module")
def results():
    groups = compare_groups([Net(0), Net(1)], [Net(2), Net(3)], stream())
    return {"matrix": several([3, 4]), "groups": groups, "reproduction": reproduction(study(seeds=2))}


def set_in(values, path, new):
    *parents, last = path.split(".")
    for key in parents:
        values = values[int(key) if key.isdecimal() else key]
    values[int(last) if last.isdecimal() else last] = new


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("cka.ab", [[0.5]], "cka.ab has 1 rows instead of 20"),
        ("cka.aa.3", [0.5], "row 3 of cka.aa has 1 cells instead of 20"),
        ("cka.standard_error_ab", [], "cka.standard_error_ab has 0 rows"),
        ("measures.0.bb", [[0.5]], "cosine.bb has 1 rows instead of 32"),
        ("models.a.layers", [], "model a has no layers"),
        ("models.b.pc1_fraction", [0.5], "pc1_fraction of model b has 1 entries instead of 32"),
        ("block_structure.b.0.stop", 33, "block_structure.b goes from layer"),
        ("block_structure.b.0.start", -1, "block_structure.b goes from layer -1"),
        ("disagreement.examples.0.prediction_b", 2, "a prediction is 2, but must be from 0 to 1"),
        ("disagreement.examples.0.label", -1, "a label is -1"),
        ("disagreement.classes", [], None),
        ("dataset.classes", ["cat"], "disagreement.classes has 2 entries instead of 1"),
        ("cka.without_dominant.changed", [[True]], "cka.without_dominant.changed has 1 rows instead of 20"),
        ("cka.without_dominant.examples.0.label", 9, "label of cka.without_dominant is 9"),
    ],
)
def test_a_comparison_is_checked(path, value, problem):
    raw = json.loads(dominated().to_json())
    set_in(raw, path, value)
    if problem is None:
        Comparison.from_json(json.dumps(raw))
        return
    with pytest.raises(CompareError) as error:
        Comparison.from_json(json.dumps(raw))
    assert problem in str(error.value)
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("cka", [[1.0]], "cka has 1 rows"),
        ("inside.pc1_alignment.0", [], "row 0 of inside.pc1_alignment has 0 cells"),
        ("inside.blocks.0.stop", 99, "inside.blocks goes from layer"),
        ("inside.blocks.0.dominant.examples.0.label", 5, "label of inside.blocks is 5"),
    ],
)
def test_an_inspection_is_checked(path, value, problem):
    raw = json.loads(inspection().to_json())
    set_in(raw, path, value)
    with pytest.raises(CompareError, match=problem):
        Inspection.from_json(json.dumps(raw))


@pytest.mark.parametrize(
    ("result", "path", "value", "problem"),
    [
        ("matrix", "pairs.0.cosine", None, "cosine of models 0 and 1 and within_cosine are not both there"),
        ("matrix", "within_cosine", None, "cosine of models 0 and 1 and within_cosine are not both there"),
        ("matrix", "settings", {}, "batch_size of settings is None, but must be a whole number"),
        ("groups", "a.models", [], "length >= 1 - at `$.a.models`"),
        ("groups", "b.models", [], "length >= 1 - at `$.b.models`"),
        ("reproduction", "networks.0.subset", "half", "is 'half', but must be a fraction such as 1/4"),
        ("reproduction", "networks.0.subset", "1/0", "is '1/0', but must be a fraction"),
        ("reproduction", "networks.0.subset", "1e99999999", "is '1e99999999', but must be a fraction"),
    ],
)
def test_other_results_are_checked(results, result, path, value, problem):
    raw = json.loads(results[result].to_json())
    set_in(raw, path, value)
    with pytest.raises(CompareError) as error:
        type(results[result]).from_json(json.dumps(raw))
    assert problem in str(error.value)


def test_consistent_results_are_read(results):
    for result in (comparison(), dominated(), inspection(), *results.values()):
        assert type(result).from_json(result.to_json()).to_json() == result.to_json()
