from dataclasses import fields

from cli.service.questions.ask import AskComparison, Choices
from cli.service.web.render.form import matrix_fields, options_of, pair_fields
from cli.terminal.analysis_options import PairOptions
from cli.terminal.options import ImageOptions


def test_every_option_of_the_command_line_but_the_device_has_a_field():
    names = {field.name for options in (ImageOptions, PairOptions) for field in fields(options)} - {"device"}
    assert {field.name for field in pair_fields()} == names
    assert {field.name for field in matrix_fields()} == names - {"measures", "permutations"}


def test_an_untouched_form_sets_no_option():
    assert options_of({field.name: [field.default] for field in pair_fields()}, pair_fields()) == {}


def test_values_have_the_types_that_a_question_takes():
    form = {"passes": ["3"], "tolerance": ["0.01"], "measures": ["knn", "rsa"], "layers": ["head.*"], "pool": ["mean"]}
    options = options_of(form, pair_fields())
    assert options == {"passes": 3, "tolerance": 0.01, "measures": ["knn", "rsa"], "layers": "head.*", "pool": "mean"}
    assert AskComparison(a="a", b="b", options=options).options.measures == ["knn", "rsa"]


def test_what_is_no_number_is_left_for_the_check_of_the_question():
    assert options_of({"passes": ["many"], "tolerance": ["1e"]}, pair_fields()) == {"passes": "many", "tolerance": "1e"}


def test_fields_have_the_bounds_and_choices_of_a_question():
    by_name = {field.name: field for field in pair_fields()}
    assert (by_name["batch_size"].least, by_name["batch_size"].most) == (4, 100_000)
    assert by_name["pool"].choices == ("none", "mean", "cls")
    assert by_name["measures"].choices == ("knn", "rsa", "procrustes")
    assert [by_name[name].kind for name in ("passes", "tolerance", "layers")] == ["whole", "number", "text"]
    assert by_name["seed"].default == str(Choices().seed)
