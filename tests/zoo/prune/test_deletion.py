import copy

import pytest
import torch

from tests.support.networks import without
from zoo.model_folder.checkpoint import load_checkpoint
from zoo.model_folder.config import Preprocessing
from zoo.model_folder.preprocess import UNIT, takes_images
from zoo.prune.deletion import Deletion, delete_blocks
from zoo.train.evaluate import predict


@pytest.fixture(scope="module")
def model(folders):
    """Two residual blocks in each stage."""
    return load_checkpoint(folders[1])


def test_counts_equal_those_of_models_without_the_blocks(model, digits):
    images, labels = digits[1].images, digits[1].labels
    found = delete_blocks(model, images, labels)
    assert len({deletion.right for deletion in found}) > 4
    for deletion in found:
        logits = predict(without(model, deletion.stage, deletion.removed), images)
        assert deletion.right == (logits.argmax(1) == labels).sum().item()


def test_each_stage_loses_its_blocks_from_the_end(model, digits):
    found = delete_blocks(model, digits[1].images, digits[1].labels)
    right = (predict(model, digits[1].images).argmax(1) == digits[1].labels).sum().item()
    assert [(row.stage, row.removed, row.first) for row in found] == [
        (f"stage{stage}", removed, first and f"stage{stage}.{first}")
        for stage in (1, 2, 3)
        for removed, first in enumerate((None, "1", "0"))
    ]
    assert [row for row in found if not row.removed] == [
        Deletion(f"stage{stage}", 0, None, right, 360) for stage in (1, 2, 3)
    ]
    assert found[0].accuracy == right / 360


def test_batches_and_a_wrapped_model_change_nothing(model, digits):
    images, labels = digits[1].images, digits[1].labels
    wrapped = takes_images(copy.deepcopy(model), Preprocessing((1, 8, 8), *UNIT))
    assert delete_blocks(model, images, labels) == delete_blocks(wrapped, images, labels, batch_size=100)


def test_the_model_keeps_its_statistics_and_blocks(model, digits):
    before = copy.deepcopy(model.state_dict())
    delete_blocks(model.train(), digits[1].images, digits[1].labels)
    assert not model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
