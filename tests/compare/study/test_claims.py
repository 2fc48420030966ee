"""Claims of the paper on studies whose truth is planted."""

from dataclasses import replace

import numpy as np
import pytest

from compare.result.study import Contrast
from compare.stats.paired import holm
from compare.study.claims import CLAIMS, judge
from tests.support.studies import NOTHING, contrast, network, study

KEYS = [definition.key for definition in CLAIMS]


def verdicts(of):
    return {claim.key: claim.verdict for claim in judge(of)}


def test_planted_claims_are_all_shown():
    assert verdicts(study()) == dict.fromkeys(KEYS, "shown")


def test_their_opposites_are_told():
    # That errors are more alike than by chance is no opposite: the test has one side.
    assert verdicts(study(-1)) == dict.fromkeys(KEYS, "opposite") | {"errors": "shown"}


def test_networks_without_block_structure_show_nothing_and_say_why():
    bare = tuple(network(net.depth, net.width, net.subset, net.seed) for net in study().networks)
    agreements = tuple(replace(each, cka=NOTHING) for each in study().agreements)
    claims = {claim.key: claim for claim in judge(replace(study(), networks=bare, agreements=agreements, errors=None))}
    for key in ("depth", "width", "less-data"):
        assert (claims[key].verdict, claims[key].p_value) == ("not shown", 1)
    for key in ("component", "removal", "seeds", "architectures", "probes", "deletion"):
        assert (claims[key].verdict, claims[key].p_value, claims[key].p_adjusted) == ("not measurable", None, None)
        assert "block structure" in claims[key].reason and "got 0." in claims[key].reason
    assert claims["errors"].reason.startswith("it needs at least three seeds")


def test_less_data_is_tested_where_a_seed_has_networks_on_all_parts():
    whole = study()
    networks = tuple(net for net in whole.networks if not (net.subset == "1/4" and net.depth >= 74))
    (claim,) = (claim for claim in judge(replace(whole, networks=networks)) if claim.key == "less-data")
    assert claim.verdict == "shown"
    deep = [net for net in networks if net.depth >= 74 and net.subset == "1"]
    (other,) = (
        claim
        for claim in judge(
            replace(whole, networks=tuple(replace(net, score=9.0) if net in deep else net for net in networks))
        )
        if claim.key == "less-data"
    )
    assert (other.p_value, other.readings) == (claim.p_value, claim.readings)


def test_p_values_are_corrected_for_all_that_could_be_tested():
    few = replace(study(), agreements=(), errors=None)
    claims = [claim for claim in judge(few) if claim.p_value is not None]
    expected = holm(np.array([claim.p_value for claim in claims]))
    assert len(claims) == 7
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


def test_equal_accuracy_that_could_hardly_be_shown_is_not_measurable():
    whole = study()
    claim = judge(replace(whole, errors=replace(whole.errors, power=0.3)))[-1]
    assert (claim.verdict, claim.p_value) == ("not measurable", None)
    assert claim.reason == "even if accuracies are equal, only 30% of such studies show it."


def test_what_so_few_seeds_cannot_show_is_not_measurable_and_not_corrected_for():
    claims = {claim.key: claim for claim in judge(study(seeds=1))}
    assert (claims["depth"].verdict, claims["depth"].p_value) == ("not measurable", None)
    assert claims["depth"].reason == "with so few networks, p-values cannot be below 0.083."
    assert {claim.verdict for key, claim in claims.items() if key != "errors"} == {"not measurable"}


def test_seeds_that_meet_in_one_pair_only_are_too_few():
    claims = {claim.key: claim for claim in judge(study(seeds=2))}
    assert claims["seeds"].reason.endswith("for all pairs of 3 seeds, got 1.")


def test_more_networks_of_the_same_seeds_are_no_new_evidence():
    whole = study()
    twice = replace(whole, networks=whole.networks * 2, agreements=whole.agreements * 2)
    for claim, again in zip(judge(whole)[3:], judge(twice)[3:], strict=True):
        assert again.p_value == pytest.approx(claim.p_value), claim.key


def test_component_needs_both_the_share_and_the_correlation():
    whole = study()
    networks = [replace(net, map_correlation=contrast(-1, net.seed)) for net in whole.networks]
    claim = judge(replace(whole, networks=tuple(networks)))[3]
    assert (claim.verdict, claim.reason) == (
        "not shown",
        "the share and the correlation differ in opposite directions.",
    )
    noisy = [replace(net, map_correlation=Contrast(0.5 + 0.2 * (-1) ** net.seed, 0.49)) for net in whole.networks]
    assert judge(replace(whole, networks=tuple(noisy)))[3].verdict == "not shown"


def test_numbers_are_means_over_seeds():
    claims = {claim.key: claim for claim in judge(study(seeds=3))}
    first = claims["depth"].readings[0]
    assert (first.series, first.label, first.units) == ("all data", "depth 14", pytest.approx((0.4, 0.405, 0.41)))
    assert first.mean.value == pytest.approx(0.405)
    assert claims["depth"].remark.startswith("Mean score: 0.41 (0.39 to 0.42) at depth 14, 0.51")
    assert claims["less-data"].remark.startswith("Mean score: 0.56 (0.54 to 0.57) with all data, 0.60")
    assert claims["removal"].remark == "Over 3 seeds. The contrast is 0.40 with it and 0.11 without it."
    inside, outside = claims["deletion"].readings
    assert (inside.label, inside.mean.value) == ("in block structure", pytest.approx(36))
    assert (outside.label, outside.mean.value) == ("outside of it", pytest.approx(65))
    assert claims["deletion"].effect.value == pytest.approx(29)
