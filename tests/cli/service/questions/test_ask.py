from dataclasses import fields

import pytest
from pydantic import ValidationError

from cli.service.questions.ask import AskComparison, AskMatrix, Choices, MatrixChoices
from cli.terminal.analysis_options import MatrixOptions, PairOptions
from cli.terminal.options import ImageOptions

GOOD = {"a": "me/a", "b": "me/b"}
BAD = [
    ({"a": "me/a"}, "Field required"),
    (GOOD | {"a": ""}, "at least 1 character"),
    (GOOD | {"a": "x" * 301}, "at most 300 characters"),
    (GOOD | {"a": "me/a\0"}, "match pattern"),
    (GOOD | {"a": "me/a\n"}, "match pattern"),
    (GOOD | {"a": "\ud800"}, "unicode"),
    (GOOD | {"dataset": "digits\0"}, "match pattern"),
    (GOOD | {"a": 3}, "valid string"),
    (GOOD | {"a": ["me/a"]}, "valid string"),
    (GOOD | {"a": None}, "valid string"),
    (GOOD | {"dataset": "x" * 301}, "at most 300 characters"),
    (GOOD | {"dataset": {"path": "/etc"}}, "valid string"),
    (GOOD | {"device": "cuda"}, "Extra inputs"),
    (GOOD | {"priority": 0}, "'interactive' or 'batch'"),
    (GOOD | {"options": []}, "valid dictionary"),
    *(
        (GOOD | {"options": {name: value}}, message)
        for name, value, message in (
            ("device", "cuda:7", "Extra inputs"),
            ("split", "validation", "'train', 'test' or 'all'"),
            ("max_examples", 0, "greater than or equal to 1"),
            ("max_examples", "100", "valid integer"),
            ("max_examples", True, "valid integer"),
            ("batch_size", 3, "greater than or equal to 4"),
            ("seed", -1, "greater than or equal to 0"),
            ("seed", 2**32, "less than or equal to"),
            ("passes", 0, "greater than or equal to 1"),
            ("passes", 1.5, "valid integer"),
            ("passes", 10**9, "less than or equal to"),
            ("precision", "fp16", "'fp32', 'fp64' or 'bf16'"),
            ("pool", "max", "'none', 'mean' or 'cls'"),
            ("baseline", True, "'none' or 'untrained'"),
            ("baseline_seeds", 0, "greater than or equal to 1"),
            ("tolerance", 0, "greater than 0"),
            ("tolerance", float("nan"), "finite number"),
            ("layers", "x" * 1001, "at most 1000 characters"),
            ("layers", "stem\0", "match pattern"),
            ("measures", "knn", "valid list"),
            ("measures", ["knn", "nearest"], "'cosine', 'knn', 'rsa' or 'procrustes'"),
            ("measures", ["knn"] * 5, "at most 4 items"),
            ("permutations", -1, "greater than or equal to 0"),
        )
    ),
]


@pytest.mark.parametrize(("body", "message"), BAD)
def test_a_malformed_body_is_refused(body, message):
    with pytest.raises(ValidationError, match=message):
        AskComparison.model_validate(body)


@pytest.mark.parametrize("models", [[], ["me/a"], ["me/a"] * 101, "me/a", ["me/a", ""]])
def test_a_matrix_needs_a_list_of_names(models):
    with pytest.raises(ValidationError):
        AskMatrix.model_validate({"models": models})


@pytest.mark.parametrize(("choices", "options"), [(Choices, PairOptions), (MatrixChoices, MatrixOptions)])
def test_options_and_defaults_are_those_of_the_command_line(choices, options):
    command_line = [field for kind in (ImageOptions, options) for field in fields(kind) if field.name != "device"]
    defaults = {field.name: field.default for field in command_line} | ({"measures": []} if choices is Choices else {})
    assert choices().model_dump() == defaults


def test_a_matrix_has_no_options_of_pairs():
    with pytest.raises(ValidationError, match="Extra inputs"):
        AskMatrix.model_validate({"models": ["me/a", "me/b"], "options": {"permutations": 19}})
