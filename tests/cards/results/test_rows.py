"""Frames have the numbers of the results."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from compare.groups.groups import compare_groups
from compare.result.study import Reproduction
from compare.study.claims import judge
from tests.support.networks import Net, stream
from tests.support.pages import several
from tests.support.samples import comparison, dominated, inspection
from tests.support.studies import study


def test_classes_are_rows_with_the_fields_of_the_json():
    frame = comparison().to_frame("classes")
    assert list(frame["name"]) == ["cat", "dog"]
    assert list(frame["difference"]) == [0.3, 0.0]
    # No class has this number.
    assert frame["agreement"].dtype == np.float64
    assert frame["agreement"].isna().all()
    assert comparison().to_frame().equals(frame)


def test_images_name_their_classes_and_have_whole_row_numbers():
    result = comparison()
    (example,) = result.disagreement.examples
    examples = (replace(example, index=3, row=30), replace(example, index=4, path="cat/4.png", label=None))
    frame = replace(result, disagreement=replace(result.disagreement, examples=examples)).to_frame("images")
    assert list(frame["index"]) == [3, 4]
    assert list(frame["prediction_b"]) == ["dog", "dog"]
    assert (frame["label"][0], frame["label"].isna()[1]) == ("cat", True)
    assert (frame["row"].dtype, frame["row"][0], frame["row"][1]) == ("Int64", 30, pd.NA)
    assert frame["path"][1] == "cat/4.png"


def test_images_of_predictions_alone_have_names_if_there_are_labels():
    disagreement = comparison().disagreement
    assert disagreement.to_frame("images")["label"][0] == "cat"
    assert replace(disagreement, classes=()).to_frame("images")["label"][0] == 0


def test_predictions_of_other_classes_than_the_images_have_their_names():
    disagreement = replace(comparison().disagreement, predicted_classes=("lion", "wolf"))
    (row,) = replace(comparison(), disagreement=disagreement).to_frame("images").to_dict("records")
    assert (row["label"], row["prediction_a"], row["prediction_b"]) == ("cat", "lion", "wolf")


def test_results_without_predictions_have_empty_frames():
    result = replace(comparison(), disagreement=None)
    for what in ("classes", "images"):
        assert list(result.to_frame(what).columns) == list(comparison().to_frame(what).columns)
        assert result.to_frame(what).empty


def test_layers_name_the_most_similar_layer_of_the_other_model():
    result = dominated()
    ab, frame = np.array(result.cka.ab), result.to_frame("layers").set_index(["model", "layer"])
    assert len(frame) == sum(ab.shape)
    for label, cka, model, other in (("a", ab, "a", "b"), ("b", ab.T, "b", "a")):
        own = frame.loc[label]
        assert list(own.index) == list(getattr(result.models, model).layers)
        assert np.array_equal(own["best_match_cka"], cka.max(1))
        assert list(own["best_match"]) == [getattr(result.models, other).layers[i] for i in cka.argmax(1)]
    assert frame.loc["a"]["block_structure"].sum() == 0
    assert list(np.flatnonzero(frame.loc["b"]["block_structure"])) == list(range(16, 30))


def test_a_layer_without_values_has_no_match():
    result = comparison()
    ab = ((None,) * 32, *result.cka.ab[1:])
    layer = replace(result, cka=replace(result.cka, ab=ab)).to_frame("layers").iloc[0]
    assert pd.isna(layer["best_match_cka"])
    assert pd.isna(layer["best_match"])


def test_dominant_images_name_the_layers_of_their_block():
    (row,) = inspection().to_frame("images").to_dict("records")
    assert (row["first_layer"], row["last_layer"], row["index"]) == ("stage2.16", "stage2.29", 17)
    assert (row["label"], row["pc1_share"]) == ("cat", 0.6)
    assert inspection().to_frame("layers")["block_structure"].sum() == 14


def test_pairs_and_models_of_a_matrix_have_their_names():
    result = several([20, 30, 20])
    frame = result.to_frame("pairs")
    assert list(zip(frame["name_a"], frame["name_b"], strict=True)) == [("m0", "m1"), ("m0", "m2"), ("m1", "m2")]
    for row in frame.itertuples():
        assert row.best_match_cka == result.pair(row.a, row.b).best_match_cka
    assert list(result.to_frame("models")["layers"]) == [20, 30, 20]


def test_groups_have_the_accuracy_of_every_image():
    result = compare_groups([Net(0), Net(1)], [Net(2), Net(3)], stream(), class_names=["x", "y", "z"])
    frame = result.to_frame("images")
    assert frame["accuracy_a"].mean() == pytest.approx(result.a.accuracy)
    assert list(frame["label"][:3]) == ["x", "y", "z"]
    models = result.to_frame("models").set_index("model")
    assert list(models.index) == ["a1", "a2", "b1", "b2"]
    assert models["accuracy"]["b1":"b2"].mean() == pytest.approx(result.b.accuracy)
    assert models["layers"].isna().all()


def test_claims_and_networks_have_effects_and_both_sides_of_contrasts():
    of = study()
    empty = {"agreements": (), "errors": None, "heatmaps": (), "settings": {}, "versions": {}, "notes": ()}
    result = Reproduction(dataset=comparison().dataset, claims=judge(of), networks=of.networks, **empty)
    claims = result.to_frame("claims").set_index("key")
    for claim in result.claims:
        assert claims["verdict"][claim.key] == claim.verdict
        assert (claim.effect.value is None) == pd.isna(claims["effect"][claim.key])
        assert claim.effect.value in (None, claims["effect"][claim.key])
    networks = result.to_frame("networks")
    assert list(networks["pc1_share_outside"]) == [net.pc1_share.outside for net in of.networks]
    assert list(networks["name"]) == [net.name for net in of.networks]
