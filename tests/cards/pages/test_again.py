"""The command at the end of a page, which computes its result again."""

from dataclasses import replace

import pytest

from cards.pages.groups import groups_html
from cards.pages.inspection import inspection_html
from cards.pages.matrix import matrix_html
from compare.groups.groups import compare_groups
from tests.support.networks import Net, stream
from tests.support.page_reader import Reader
from tests.support.pages import deep_look, several
from tests.support.samples import inspection


def without_baseline():
    result = several((9, 9))
    return replace(result, pairs=tuple(replace(pair, baseline=None) for pair in result.pairs))


def groups():
    result = compare_groups([Net(0), Net(1)], [Net(2), Net(3)], stream())
    models = {
        side: replace(group, models=tuple(replace(model, ref=f"{side}/{i}") for i, model in enumerate(group.models)))
        for side, group in (("a", result.a), ("b", result.b))
    }
    dataset = replace(result.dataset, name="pets", split="test")
    return replace(result, dataset=dataset, settings=result.settings | {"superclasses": "my kinds.csv"}, **models)


IMAGES = "--dataset pets --split test"
PARTS = "--part structure --part components --part dominant --part deletion --part probes"


@pytest.mark.parametrize(
    ("page", "command"),
    [
        (matrix_html(several((9, 9))), f"zoo matrix models/m0 models/m1 {IMAGES} --layers all --batch-size 20"),
        (
            matrix_html(without_baseline()),
            f"zoo matrix models/m0 models/m1 {IMAGES} --layers all --batch-size 20 --baseline none",
        ),
        (inspection_html(inspection(), {}), f"zoo inspect models/deep {IMAGES}"),
        (inspection_html(deep_look(), {}), f"zoo inspect models/deep {PARTS} {IMAGES}"),
        (groups_html(groups(), {}), f"zoo groups --a a/0 a/1 --b b/0 b/1 --superclasses 'my kinds.csv' {IMAGES}"),
    ],
    ids=["matrix", "matrix without baseline", "inspection", "inspection with all parts", "groups"],
)
def test_the_command_at_the_end_has_models_images_and_options(page, command):
    text = Reader(page).text
    assert f"Do it again {command} Settings and versions" in text
