import json
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from cards.words.verdict import verdict
from compare.engine.pair import compare_models
from compare.errors import CompareError
from compare.result.comparison import Comparison
from tests.support.networks import Net, stream
from tests.support.reference import minibatch_cka


def test_result_holds_every_key_of_the_contract():
    result = json.loads(compare_models(Net(0), Net(1), stream()).to_json())
    assert list(result) == [
        "format_version",
        "kind",
        "models",
        "dataset",
        "cka",
        "block_structure",
        "disagreement",
        "settings",
        "versions",
        "notes",
        "measures",
        "inside",
        "baseline",
        "cautions",
    ]
    model = "ref name revision sha256 architecture parameters accuracy layers pc1_fraction kind"
    assert list(result["models"]["a"]) == list(result["models"]["b"]) == model.split()
    assert list(result["dataset"]) == ["name", "split", "examples", "classes", "fingerprint"]
    cka = "ab aa bb standard_error_ab batch_size passes null without_dominant"
    assert list(result["cka"]) == cka.split()
    disagreement = (
        "agreement accuracy_a accuracy_b both_right only_a_right only_b_right both_wrong p_value classes examples"
    )
    assert list(result["disagreement"])[:10] == disagreement.split()
    row = "name examples accuracy_a accuracy_b difference ci_low ci_high only_a_right only_b_right p_value p_adjusted"
    assert list(result["disagreement"]["classes"][0])[:11] == row.split()
    example = "index label prediction_a prediction_b confidence_a confidence_b path row"
    assert list(result["disagreement"]["examples"][0]) == example.split()


def test_cka_within_and_between_agrees_with_songs_formula_in_float64():
    batches = stream()
    a, b = Net(0).eval(), Net(1).eval()

    def layers(model, x):
        hidden = model.conv(x)
        return [hidden, hidden.relu(), model(x)]

    with torch.no_grad():
        joint = [[layer.double() for model in (a, b) for layer in layers(model, x)] for x, _ in batches]
    expected = minibatch_cka(joint)
    cka = compare_models(a, b, batches).cka
    for ours, reference in ((cka.aa, expected[:3, :3]), (cka.bb, expected[3:, 3:]), (cka.ab, expected[:3, 3:])):
        assert np.abs(np.array(ours) - reference.numpy()).max() < 1e-5


def test_predictions_and_accuracy_cover_every_example_once():
    batches = stream((16, 16, 2))
    a, b = Net(0).eval(), Net(1).eval()
    result = compare_models(a, b, batches, passes=3)
    x, labels = (torch.cat(part) for part in zip(*batches, strict=True))
    predicted_a, predicted_b = a(x).argmax(1), b(x).argmax(1)
    assert result.dataset.examples == 34
    assert result.models.a.accuracy == pytest.approx((predicted_a == labels).double().mean().item())
    assert [e.index for e in sorted(result.disagreement.examples, key=lambda e: e.index)] == (
        predicted_a != predicted_b
    ).nonzero().flatten().tolist()


def test_indices_that_come_with_the_batches_name_the_examples():
    batches = [(x, y, torch.arange(len(y)) + 1000 * i) for i, (x, y) in enumerate(stream())]
    indices = {example.index for example in compare_models(Net(0), Net(1), batches).disagreement.examples}
    assert indices <= {1000 * i + j for i, (_, y) in enumerate(stream()) for j in range(len(y))}
    assert any(index >= 1000 for index in indices)


def test_json_round_trip_is_exact():
    text = compare_models(Net(0), Net(1), stream(), class_names=["x", "é", "<b>"]).to_json()
    assert Comparison.from_json(text).to_json() == text


def test_floats_in_json_have_six_digits():
    result = json.loads(compare_models(Net(0), Net(1), stream()).to_json())
    cells = np.array(result["cka"]["ab"])
    assert np.array_equal(cells, cells.round(6))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format_version=3), "format version 2 or 1, got 3"),
        (lambda d: d.pop("cka"), "missing required field `cka`"),
        (
            lambda d: d["models"]["a"].update(parameters="many"),
            r"Expected `int`, got `str` - at `\$.models.a.parameters`",
        ),
    ],
)
def test_foreign_json_is_refused(change, message):
    plain = json.loads(compare_models(Net(0), Net(1), stream()).to_json())
    change(plain)
    with pytest.raises(CompareError, match=message):
        Comparison.from_json(json.dumps(plain))
    with pytest.raises(CompareError, match="expected the JSON of a Comparison"):
        Comparison.from_json("no json")


def test_model_compared_with_itself_is_itself():
    model = Net(0)
    result = compare_models(model, model, stream())
    assert np.diag(result.cka.ab) == pytest.approx([1, 1, 1])
    assert result.cka.ab == result.cka.aa
    assert (result.disagreement.agreement, result.disagreement.examples) == (1, ())


def test_fp64_agrees_with_fp32():
    single, double = (compare_models(Net(0), Net(1), stream(), precision=p).cka.ab for p in ("fp32", "fp64"))
    assert np.abs(np.array(single) - np.array(double)).max() < 1e-5


def test_layers_can_be_chosen():
    assert compare_models(Net(0), Net(1), stream(), layers="fc,c*").models.a.layers == ("conv", "fc")


def test_short_last_batch_counts_in_predictions_and_is_noted():
    result = compare_models(Net(0), Net(1), stream((16, 16, 3)))
    assert result.dataset.examples == 35
    assert "CKA leaves out 3 examples in minibatches of fewer than 4." in result.notes
    assert result.cka.ab == compare_models(Net(0), Net(1), stream((16, 16))).cka.ab


def test_dead_layer_has_null_cells_and_a_note_that_names_it():
    dead = Net(1)
    nn.init.zeros_(dead.conv.weight)
    nn.init.constant_(dead.conv.bias, -1.0)
    result = compare_models(Net(0), dead, stream())
    assert {row[0] for row in result.cka.ab} == {None}
    assert "b: conv is constant over examples; its similarities are null." in result.notes
    assert result.models.b.pc1_fraction[0] is None
    assert None not in [cell for row in result.cka.aa for cell in row]
    json.loads(result.to_json())


def test_layer_that_is_not_finite_has_null_cells_and_predictions_are_noted():
    broken = Net(1)
    nn.init.constant_(broken.fc.bias, float("nan"))
    result = compare_models(Net(0), broken, stream())
    assert {row[2] for row in result.cka.ab} == {None}
    assert {row[1] for row in result.cka.ab} != {None}
    assert "b: fc has values that are too large or not finite; its similarities are null." in result.notes
    assert any("logits of 57 examples are not finite" in note for note in result.notes)
    json.loads(result.to_json())


def test_many_layers_without_similarities_have_one_note():
    dead = nn.Sequential(nn.Flatten(), *(layer for _ in range(4) for layer in (nn.LazyLinear(3), nn.ReLU())))
    (inputs, labels), *_ = stream((20,))
    dead(inputs)
    for layer in dead[1::2]:
        nn.init.zeros_(layer.weight)
    result = compare_models(Net(0), dead, [(inputs, labels)])
    (note,) = (note for note in result.notes if "constant" in note)
    assert note == "b: 1, 2, 3 and 5 other layers are constant over examples; their similarities are null."


def test_one_minibatch_gives_standard_errors_of_kernels_only_and_says_so():
    result = compare_models(Net(0), Net(1), stream((40,)), measures=["cosine", "knn"])
    assert all(error is not None for row in result.cka.standard_error_ab for error in row)
    cosine, knn = result.measures
    assert cosine.standard_error_ab[0][0] is not None
    assert knn.standard_error_ab[0][0] is None
    assert "standard errors of knn are null; they need at least two minibatches of similar size." in result.notes
    assert not any("standard errors of CKA" in note for note in result.notes)


def test_intervals_from_minibatches_use_students_t():
    result = compare_models(Net(0), Net(1), stream((40, 40, 40)), measures=["cosine", "knn"])
    assert [measure.degrees_of_freedom for measure in result.measures] == [None, 2]
    assert (
        "standard errors of knn come from 3 minibatches: a 95 % interval is ± 4.3 of them (Student's t)."
        in result.notes
    )


def test_standard_errors_average_shares_over_passes_only_with_indices():
    (inputs, labels), *_ = stream((120,))

    class Shuffled(list):
        """The examples in another order in every pass."""

        def __init__(self, with_indices):
            self.random, self.with_indices = torch.Generator().manual_seed(0), with_indices

        def __iter__(self):
            for rows in torch.randperm(120, generator=self.random).split(30):
                yield (inputs[rows], labels[rows], rows)[: 2 + self.with_indices]

    averaged, first = (compare_models(Net(0), Net(1), Shuffled(flag), passes=8) for flag in (True, False))
    # The sums are computed in another order.
    np.testing.assert_allclose(averaged.cka.ab, first.cka.ab, rtol=1e-6)
    assert averaged.cka.standard_error_ab != first.cka.standard_error_ab
    assert averaged.cka.standard_error_ab[0][1] == pytest.approx(first.cka.standard_error_ab[0][1], rel=0.5)


def test_layers_that_a_few_examples_dominate_have_no_standard_errors_and_a_note():
    (inputs, labels), *_ = stream((40,))
    inputs[0] *= 1000
    inputs[1] = -inputs[0]  # leaves the mean unchanged
    result = compare_models(Net(0), Net(1), [(inputs, labels)])
    assert result.cka.standard_error_ab[0][0] is None
    assert result.measures[0].standard_error_ab[0][0] is not None
    (note,) = (note for note in result.notes if "standard errors of CKA are null" in note)
    assert "fewer than 8 effective examples" in note


def test_models_of_different_classes_share_cka_but_no_predictions():
    result = compare_models(Net(0), Net(1, classes=5), stream(), class_names=["x", "y", "z"])
    assert result.disagreement is None
    assert result.models.a.accuracy == compare_models(Net(0), Net(1), stream()).models.a.accuracy
    assert result.models.b.accuracy is None
    assert result.cka.ab[0][0] == compare_models(Net(0), Net(1, classes=5), stream()).cka.ab[0][0]
    assert any("b: the classes of the data, 3 (x, y, z), are not among its classes, 5" in note for note in result.notes)
    assert Comparison.from_json(result.to_json()).disagreement is None


def test_models_with_different_numbers_of_unnamed_classes_have_no_predictions():
    result = compare_models(Net(0), Net(1, classes=5), stream())
    assert (result.models.a.accuracy, result.models.b.accuracy) == (None, None)
    assert result.dataset.classes == ("0", "1", "2")


def test_classes_in_another_order_are_matched_by_name():
    a, b = Net(0), Net(1)
    names, order = ["x", "y", "z"], [2, 0, 1]
    turned = Net(1)
    turned.fc.weight.data, turned.fc.bias.data = b.fc.weight[order].clone(), b.fc.bias[order].clone()
    expected = compare_models(a, b, stream(), class_names=names)
    own = [names, [names[i] for i in order]]
    result = compare_models(a, turned, stream(), class_names=names, model_classes=own)
    assert result.disagreement == expected.disagreement
    others = compare_models(a, b, stream(), class_names=names, model_classes=[names, ["x", "y", "w"]])
    assert (others.disagreement, others.models.b.accuracy) == (None, None)


def test_classes_without_names_are_taken_in_the_datas_order_and_said_so():
    result = compare_models(
        Net(0), Net(1), stream(), class_names=["x", "y", "z"], model_classes=[["x", "y", "z"], None]
    )
    assert result.disagreement == compare_models(Net(0), Net(1), stream(), class_names=["x", "y", "z"]).disagreement
    assert any("b: does not name its classes" in note for note in result.notes)


def test_predictions_of_other_classes_than_the_datas_are_compared_without_labels():
    own = [["p", "q", "r"], ["p", "q", "r"]]
    result = compare_models(Net(0), Net(1), stream(), class_names=["x", "y", "z"], model_classes=own)
    named = compare_models(Net(0), Net(1), stream(), class_names=["p", "q", "r"], model_classes=own).disagreement
    found = result.disagreement
    assert (found.predicted_classes, result.dataset.classes) == (("p", "q", "r"), ("x", "y", "z"))
    assert (found.agreement, found.divergence) == (named.agreement, named.divergence)
    assert (found.examples, found.replacements) == (named.examples, named.replacements)
    assert (found.accuracy_a, found.p_value, found.classes, found.together, found.confusions) == (
        None,
        None,
        (),
        None,
        (),
    )
    assert (result.models.a.accuracy, result.models.b.accuracy) == (None, None)
    pairs = Counter((example.prediction_a, example.prediction_b) for example in found.examples)
    assert {(pair.prediction_a, pair.prediction_b): pair.examples for pair in found.replacements} == pairs
    assert "whether it is right is unknown" in " ".join(result.notes)


def test_names_for_other_than_the_logits_are_refused():
    with pytest.raises(CompareError, match="one class name for each of the 3 logits of a model, got 2"):
        compare_models(Net(0), Net(1), stream(), model_classes=[["x", "y"], None])


def test_labels_beyond_the_logits_are_refused():
    batches = [(torch.randn(8, 1, 4, 4), torch.full((8,), 7))]
    with pytest.raises(CompareError, match="class numbers below 3, got 7"):
        compare_models(Net(0), Net(1), batches)


@pytest.mark.parametrize("sizes", [(), (3,), (1, 2, 3)])
def test_fewer_than_four_examples_at_once_are_refused(sizes):
    with pytest.raises(CompareError, match=f"at least 4 examples, got {sum(sizes)} examples in total"):
        compare_models(Net(0), Net(1), stream(sizes))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "fp8"}, "precision must be one of fp32, fp64, bf16, got 'fp8'"),
        ({"passes": 0}, "passes must be at least 1, got 0"),
        ({"layers": "cnov"}, "near names are conv"),
    ],
)
def test_unusable_arguments_are_refused(options, message):
    with pytest.raises(CompareError, match=message):
        compare_models(Net(0), Net(1), stream(), **options)


def test_several_passes_over_an_iterator_are_refused():
    with pytest.raises(CompareError, match="iterated again"):
        compare_models(Net(0), Net(1), iter(stream()), passes=2)


def test_inputs_may_be_any_tensor_a_model_takes():
    def tokens(seed):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Embedding(50, 8), nn.Flatten(), nn.Linear(40, 3))

    batches = [(torch.randint(0, 50, (12, 5)), torch.arange(12) % 3) for _ in range(3)]
    assert compare_models(tokens(0), tokens(1), batches).models.a.layers == ("0", "1", "2")


def test_images_without_labels_give_agreement_and_divergence_and_null_for_the_rest():
    batches = [(x, torch.full_like(y, -1)) for x, y in stream()]
    result = compare_models(Net(0), Net(1), batches)
    found, labelled = result.disagreement, compare_models(Net(0), Net(1), stream()).disagreement
    assert (found.agreement, found.divergence) == (labelled.agreement, labelled.divergence)
    assert (found.accuracy_a, found.p_value, found.together, result.models.a.accuracy) == (None, None, None, None)
    assert [example.index for example in found.examples] == [example.index for example in labelled.examples]
    assert {example.label for example in found.examples} == {None}
    assert "the images have no labels; results that need labels are null." in result.notes
    assert "It is unknown which model is right" in verdict(result)
    assert Comparison.from_json(result.to_json()).to_json() == result.to_json()


def test_labels_for_some_examples_only_are_refused():
    (x, y), *rest = stream()
    with pytest.raises(CompareError, match="expected labels of all examples, or -1 for all, got both"):
        compare_models(Net(0), Net(1), [(x, y), *((x, torch.full_like(y, -1)) for x, y in rest)])
    mixed = torch.where(torch.arange(len(y)) == 0, -1, y)
    with pytest.raises(CompareError, match="or all -1 if they are unknown, got -1"):
        compare_models(Net(0), Net(1), [(x, mixed)])


def test_together_is_the_accuracy_of_the_mean_probabilities():
    batches, (a, b) = stream(), (Net(0).eval(), Net(1).eval())
    with torch.no_grad():
        mean = torch.cat([(a(x).softmax(1) + b(x).softmax(1)).argmax(1) for x, _ in batches])
        right = [torch.cat([model(x).argmax(1) for x, _ in batches]) for model in (a, b)]
    labels = torch.cat([y for _, y in batches])
    together = compare_models(a, b, batches).disagreement.together
    assert together.ensemble.value == pytest.approx((mean == labels).double().mean().item())
    either = (right[0] == labels) | (right[1] == labels)
    assert together.oracle.value == pytest.approx(either.double().mean().item())
    better = max((own == labels).double().mean().item() for own in right)
    assert together.ensemble_gain.value == pytest.approx(together.ensemble.value - better)


def test_a_file_of_version_1_still_opens():
    comparison = compare_models(Net(0), Net(1), stream())
    old = json.loads(comparison.to_json()) | {"format_version": 1}
    del old["kind"]
    assert Comparison.from_json(json.dumps(old)) == Comparison.from_json(comparison.to_json())
    with pytest.raises(CompareError, match="kind"):
        Comparison.from_json(json.dumps(old | {"kind": "matrix"}))


def test_procrustes_of_minibatches_is_weighted_by_their_examples():
    batches = stream(sizes=(8, 24))
    small, large = (
        np.array(compare_models(Net(0), Net(1), [batch], measures=["procrustes"]).measures[0].ab) for batch in batches
    )
    both = np.array(compare_models(Net(0), Net(1), batches, measures=["procrustes"]).measures[0].ab)
    assert both == pytest.approx((8 * small + 24 * large) / 32, abs=1e-6)


@pytest.mark.parametrize(("size", "noted"), [(31, True), (32, False)])
def test_small_minibatches_are_noted_for_their_pc1_fractions(size, noted):
    notes = compare_models(Net(0), Net(1), stream(sizes=(size, size))).notes
    assert any("PC1 fractions" in note for note in notes) == noted
