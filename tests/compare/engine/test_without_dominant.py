"""CKA of two models without the examples that dominate it."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from compare.engine.pair import compare_models
from compare.result.comparison import Comparison
from tests.support.networks import Net, stream

# Positions of two examples in each of two minibatches of 30, from 1,000 on.
DOMINANT = [1003, 1017, 1030, 1059]


def batches(planted=DOMINANT):
    """Two minibatches in which some images are far brighter than the others."""
    (x, y), (other_x, other_y) = stream((30, 30))
    indices = torch.arange(1000, 1060)
    images = torch.cat([x, other_x])
    images[torch.isin(indices, torch.tensor(planted))] += 8
    return list(zip(images.split(30), (y, other_y), indices.split(30), strict=True))


def without(planted):
    for x, y, indices in batches():
        others = ~torch.isin(indices, torch.tensor(planted))
        yield x[others], y[others], indices[others]


def test_equals_a_comparison_on_the_other_examples():
    found = compare_models(Net(0), Net(1), batches()).cka
    expected = compare_models(Net(0), Net(1), list(without(DOMINANT))).cka
    left_out = found.without_dominant
    assert (left_out.share, left_out.count, left_out.total) == (0.05, 4, 60)
    assert sorted(example.index for example in left_out.examples) == DOMINANT
    assert np.abs(np.array(left_out.ab) - np.array(expected.ab)).max() < 1e-5
    change = np.abs(np.array(found.ab) - np.array(expected.ab))
    assert (np.array(left_out.changed) == (change > 0.1)).all()
    assert 0 < left_out.changed_cells == (change > 0.1).sum()
    assert left_out.compared_cells == 9


def test_examples_are_in_order_of_dominance_with_their_labels():
    examples = compare_models(Net(0), Net(1), batches()).cka.without_dominant.examples
    shares = [example.pc1_share for example in examples]
    assert shares == sorted(shares, reverse=True)
    labels = {int(i): int(label) for _, y, indices in batches() for i, label in zip(indices, y, strict=True)}
    assert all(example.label == labels[example.index] for example in examples)
    unlabelled = [(x, torch.full_like(y, -1), indices) for x, y, indices in batches()]
    assert {e.label for e in compare_models(Net(0), Net(1), unlabelled).cka.without_dominant.examples} == {None}


def test_without_examples_that_dominate_no_cell_changes():
    assert compare_models(Net(0), Net(1), batches()).cka.without_dominant.changed_cells > 0
    assert compare_models(Net(0), Net(1), batches(planted=[])).cka.without_dominant.changed_cells == 0


def test_two_passes_over_the_same_minibatches_change_nothing():
    one, two = (compare_models(Net(0), Net(1), batches(), passes=passes).cka for passes in (1, 2))
    assert np.abs(np.array(one.without_dominant.ab) - np.array(two.without_dominant.ab)).max() < 1e-12
    assert (one.without_dominant.examples, one.without_dominant.count) == (
        two.without_dominant.examples,
        two.without_dominant.count,
    )


def test_minibatches_of_four_have_none_and_a_note_says_why():
    result = compare_models(Net(0), Net(1), stream((4, 4)))
    assert result.cka.without_dominant is None
    assert any("CKA without dominant examples is null; it needs a minibatch of at least 5" in n for n in result.notes)


def test_a_layer_that_is_constant_on_the_other_examples_is_noted():
    class Threshold(Net):
        """Its first activation is above 0 for bright images only."""

        def forward(self, x):
            return self.fc(self.act(x.flatten(1).mean(1, keepdim=True) - 4).expand(-1, 96))

    result = compare_models(Threshold(0), Net(1), batches())
    assert all(cell is not None for cell in result.cka.ab[0])
    assert result.cka.without_dominant.ab[0] == (None, None, None)
    assert result.cka.without_dominant.changed[0] == (None, None, None)
    assert any(note.startswith("a: act is constant without the dominant examples") for note in result.notes)


def test_a_model_compared_with_itself_is_itself_without_them_too():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    left_out = compare_models(model, model, batches()).cka.without_dominant
    assert np.diag(left_out.ab) == pytest.approx([1, 1])


def test_json_round_trip_is_exact():
    text = compare_models(Net(0), Net(1), batches()).to_json()
    assert Comparison.from_json(text).to_json() == text


def test_an_earlier_file_opens_without_it():
    earlier = json.loads(compare_models(Net(0), Net(1), batches()).to_json())
    del earlier["cka"]["without_dominant"]
    assert Comparison.from_json(json.dumps(earlier)).cka.without_dominant is None
