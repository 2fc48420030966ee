"""Models without a classifier, and pooled features, on the command line."""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import json

import pytest
import timm
import torch
from timm.models import save_for_hf

pytestmark = pytest.mark.slow

OPTIONS = ("--dataset", "digits", "--max-examples", 40, "--baseline", "none", "--json", "-")


@pytest.fixture
def encoder(here):
    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=0, img_size=32)
    save_for_hf(model, here / "encoder", model_args={"img_size": 32}, safe_serialization=True)
    return here / "encoder"


def test_encoder_is_compared_with_a_classifier_and_replayed_from_its_trace(encoder, folders, run):
    result = json.loads(run("compare", encoder, folders[0], *OPTIONS).stdout)
    assert result["disagreement"] is None
    assert result["models"]["a"]["accuracy"] is None
    assert result["models"]["b"]["accuracy"] > 0
    assert any(note.startswith("a: has no classifier (its output has shape (7, 64)") for note in result["notes"])
    matrix = run("zoo", "matrix", encoder, folders[0], *OPTIONS, "--verbose")
    assert "replaying the trace of" in matrix.stderr
    for row, expected in zip(json.loads(matrix.stdout)["pairs"][0]["cka"], result["cka"]["ab"], strict=True):
        assert row == pytest.approx(expected, abs=1e-5)


def test_pooled_features_have_results_of_their_own(encoder, folders, run):
    plain, mean, cls = (
        json.loads(run("compare", encoder, folders[0], *OPTIONS, "--pool", pool).stdout)
        for pool in ("none", "mean", "cls")
    )
    assert [result["settings"]["pool"] for result in (plain, mean, cls)] == ["none", "mean", "cls"]
    assert plain["cka"]["ab"] != mean["cka"]["ab"] != cls["cka"]["ab"]
    assert "b: has no class token; its features are means over positions." in cls["notes"]
    assert not any("class token" in note for note in mean["notes"])
