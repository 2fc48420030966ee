"""What the terminal and the page say about two groups of seeds."""

from dataclasses import replace

import pytest

from cards.words.group_facts import confirmation_fact, permutation_fact, skill_fact, spread_facts
from cards.words.group_verdict import group_verdict
from compare.groups.groups import compare_groups
from compare.result.groups import GroupComparison
from tests.support.networks import Net, stream


@pytest.fixture(scope="module")
def result():
    return compare_groups([Net(seed) for seed in range(4)], [Net(seed) for seed in range(10, 14)], stream())


def test_the_verdict_claims_different_images_only_beyond_skill(result):
    claim = "They get different images right, beyond a uniform difference in skill (p = 0.03)."
    for p_value, shown in ((0.03, True), (0.2, False)):
        text = group_verdict(replace(result, spread=replace(result.spread, p_value=p_value)))
        assert (claim in text) == shown
        assert ("do not differ significantly beyond a uniform difference in skill (p = 0.2)" in text) != shown


def test_a_file_of_an_earlier_version_opens_and_is_not_said_to_have_tested_skill(result):
    text = result.to_json().replace(f',"beyond_skill":{round(result.spread.beyond_skill, 6)}', "")
    assert "beyond_skill" not in text
    old = GroupComparison.from_json(text)
    assert old.spread.beyond_skill is None
    assert "beyond" not in " ".join(spread_facts(old.spread)) + group_verdict(old)
    assert permutation_fact(old).startswith(
        "Different images right, tested without removing a uniform difference in skill: p = "
    )
    assert "earlier version" in skill_fact(old.spread)
    significant = group_verdict(replace(old, spread=replace(old.spread, p_value=0.03)))
    assert "perhaps only because one is more accurate" in significant


def test_without_a_selected_difference_there_is_nothing_to_confirm(result):
    none = replace(result.confirmed_classes, selecting=0.0004, confirming=0.02)
    text = group_verdict(replace(result, confirmed_classes=none))
    assert "On half of the seeds, no class differs, so there is nothing to confirm on the others." in text
    assert confirmation_fact(none) == "On half of the seeds, none of them differs."
