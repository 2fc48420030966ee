"""Features pooled over positions, against means and class tokens taken by hand."""

import pytest
import torch
from torch import nn

from compare.errors import UsageError
from compare.model.layer_grams import LayerGrams
from compare.model.pooling import check_pool, pooled
from compare.similarity.gram import gram

torch.manual_seed(0)
IMAGES = torch.randn(6, 3, 8, 8)


@pytest.mark.parametrize(
    ("module", "shape", "positions"),
    [
        (nn.Conv2d(1, 1, 1), (6, 3, 4, 4), (2, 3)),
        (nn.Linear(1, 1), (6, 4, 4, 3), (1, 2)),
        (nn.Linear(1, 1), (6, 4, 4, 4), (1, 2)),
        (nn.GELU(), (6, 4, 4, 3), (1, 2)),
        (nn.GELU(), (6, 3, 4, 4), (2, 3)),
        (nn.GELU(), (6, 5, 3), (1,)),
        (nn.Conv1d(1, 1, 1), (6, 3, 5), (2,)),
        (nn.Linear(1, 1), (6, 3), ()),
    ],
)
def test_mean_is_over_positions_and_not_over_channels(module, shape, positions):
    rows = torch.randn(shape)
    expected = rows.mean(positions) if positions else rows
    torch.testing.assert_close(pooled(rows, module, windows=False), expected)


def test_windows_are_positions_too():
    rows = torch.randn(6, 4, 5, 3)
    torch.testing.assert_close(pooled(rows, nn.Linear(1, 1), windows=True), rows.mean((1, 2)))


class Tokens(nn.Module):
    """A transformer's skeleton: patches, then a class token before them."""

    def __init__(self, has_token):
        super().__init__()
        self.patches, self.norm, self.head = nn.Conv2d(3, 5, 4, 4), nn.LayerNorm(5), nn.Linear(5, 2)
        if has_token:
            self.cls_token = nn.Parameter(torch.randn(1, 1, 5))

    def forward(self, x):
        x = self.patches(x).flatten(2).mT
        if hasattr(self, "cls_token"):
            x = torch.cat([self.cls_token + x.mean(1, keepdim=True), x], 1)
        return self.head(self.norm(x)[:, 0])


def run(model, pool):
    with LayerGrams(model, "all", pool=pool) as layers:
        layers.find(IMAGES)
        grams = torch.empty(len(layers.names), 6, 6)
        layers.run(IMAGES, grams)
    return dict(zip(layers.names, grams, strict=True)), layers.remarks


def test_class_token_counts_where_a_layer_has_one_and_the_mean_elsewhere():
    model = Tokens(has_token=True)
    grams, remarks = run(model, "cls")
    patches = model.patches(IMAGES)
    tokens = torch.cat([model.cls_token + patches.flatten(2).mT.mean(1, keepdim=True), patches.flatten(2).mT], 1)
    torch.testing.assert_close(grams["patches"], gram(patches.mean((2, 3))))
    torch.testing.assert_close(grams["norm"], gram(model.norm(tokens)[:, 0]))
    assert remarks == []


def test_model_without_a_class_token_uses_means_and_says_so():
    grams, remarks = run(Tokens(has_token=False), "cls")
    means, _ = run(Tokens(has_token=False), "mean")
    assert list(grams) == list(means)
    assert remarks == ["has no class token; its features are means over positions."]


def test_other_ways_of_pooling_are_refused():
    with pytest.raises(UsageError, match="pool must be one of none, mean, cls, got 'max'"):
        check_pool("max")
