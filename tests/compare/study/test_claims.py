"""Claims of the paper on studies whose truth is planted."""

from dataclasses import replace

import numpy as np
import pytest

from compare.stats.paired import holm
from compare.study.claims import CLAIMS, judge
from tests.support.studies import NOTHING, network, study

KEYS = [definition.key for definition in CLAIMS]


def verdicts(of):
    return {claim.key: claim.verdict for claim in judge(of)}


def test_planted_claims_are_all_shown():
    assert verdicts(study()) == dict.fromkeys(KEYS, "shown")


def test_their_opposites_are_told():
    # That errors are more alike than by chance is no opposite: the test has one side.
    assert verdicts(study(-1)) == dict.fromkeys(KEYS, "opposite") | {"errors": "shown"}


def test_networks_without_block_structure_show_nothing_and_say_why():
    bare = [network(net.depth, net.width, net.subset, net.seed) for net in study().networks]
    agreements = [replace(each, cka=NOTHING) for each in study().agreements]
    claims = {claim.key: claim for claim in judge(replace(study(), networks=bare, agreements=agreements, errors=None))}
    for key in ("depth", "width", "less-data"):
        assert (claims[key].verdict, claims[key].p_value) == ("not shown", 1)
    for key in ("component", "seeds", "architectures", "probes", "deletion"):
        assert (claims[key].verdict, claims[key].p_value, claims[key].p_adjusted) == ("not measurable", None, None)
        assert "block structure" in claims[key].reason and "got 0." in claims[key].reason
    assert claims["errors"].reason.startswith("it needs at least two seeds")


def test_p_values_are_corrected_for_all_that_could_be_tested():
    few = replace(study(), agreements=(), errors=None)
    claims = [claim for claim in judge(few) if claim.p_value is not None]
    expected = holm(np.array([claim.p_value for claim in claims]))
    assert len(claims) == 6
    assert [claim.p_adjusted for claim in claims] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("ends", [(-0.004, 0.011), (None, None)])
def test_different_errors_of_networks_of_unequal_accuracy_are_not_what_is_claimed(ends):
    whole = study()
    (row,) = whole.errors.strata
    strata = row, replace(row, subset="1/2", low=ends[0], high=ends[1])
    unequal = replace(whole, errors=replace(whole.errors, strata=strata))
    claim = judge(unequal)[-1]
    assert (claim.verdict, claim.reason) == (
        "not shown",
        "accuracies are not shown to be equal within 1 percentage point.",
    )
    assert claim.p_adjusted < 0.05


def test_what_so_few_networks_cannot_show_is_not_measurable_and_not_corrected_for():
    claims = {claim.key: claim for claim in judge(study(seeds=1))}
    assert (claims["depth"].verdict, claims["depth"].p_value) == ("not measurable", None)
    assert claims["depth"].reason == "with so few networks, p-values cannot be below 0.083."
    assert claims["less-data"].verdict == "shown"


def test_numbers_are_means_over_networks_and_say_where_block_structure_begins():
    claims = {claim.key: claim for claim in judge(study())}
    first = claims["depth"].readings[0]
    assert (first.series, first.label, first.units) == ("all data", "depth 14", pytest.approx((0.4, 0.405, 0.41)))
    assert first.mean.value == pytest.approx(0.405)
    assert claims["depth"].remark.startswith("Networks with block structure: 3 of 3 at depth 14,")
    assert "14 with all data, 14 with 1/2 of the data" in claims["less-data"].remark
    inside, outside = claims["deletion"].readings
    assert (inside.label, inside.mean.value) == ("in block structure", pytest.approx(36))
    assert (outside.label, outside.mean.value) == ("outside of it", pytest.approx(65))
    assert claims["deletion"].effect.value == pytest.approx(29)
