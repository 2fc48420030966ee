"""Power of simulated studies, whose truth is planted."""

from dataclasses import replace

import numpy as np
import pytest

from compare.study.claims import judge
from compare.study.power import Sides, World, powers, simulated_study
from tests.support.seeds import below
from tests.support.studies import NO_DIFFERENCE, cells


@pytest.mark.slow
def test_more_seeds_have_more_power():
    few, many = ({row.key: row.power for row in powers(cells(seeds), 14, 1.0)} for seeds in (3, 5))
    assert all(few[key] <= many[key] for key in few)
    assert few["depth"] < 0.7 and many["depth"] > 0.9
    # With three seeds, no test of equal accuracy is possible.
    assert few["errors"] == 0


def test_assumptions_are_those_that_are_simulated():
    world = replace(World(), depths=((14, 0.0), (110, 0.9)), seeds=Sides(0.1, 0.2, 0.3))
    rows = {row.key: row for row in powers(cells(2, ("1",)), 14, 1.0, world)}
    assert rows["depth"].assumption == "score 0 at 14, 0.9 at 110, SD 0.15"
    assert rows["seeds"].assumption == "0.10 inside, 0.20 outside, SD 0.30"


@pytest.mark.slow
def test_no_claim_is_shown_in_more_than_five_percent_of_studies_without_differences():
    # Networks of the same seed have half of their variance in common.
    studies = [simulated_study(cells(4), 14, 1.0, NO_DIFFERENCE, seed) for seed in range(200)]
    p_values = np.array([[claim.p_value for claim in judge(study)[:-1]] for study in studies], dtype=float)
    assert ((p_values < 0.05).mean(0) < below(0.05, 200)).all()
