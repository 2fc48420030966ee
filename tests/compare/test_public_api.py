"""The public names of `compare`: all there, loaded when first used, and documented by examples that run."""

import ast
import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import compare
from compare.result.base import JsonResult

IMPORT_SECONDS = 0.1


def classifier(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


class Images:
    """Batches of a dataset that names its classes."""

    classes = ("cat", "dog", "frog")

    def __init__(self):
        torch.manual_seed(0)
        self._batches = [(torch.randn(16, 8), torch.randint(3, (16,))) for _ in range(2)]

    def __iter__(self):
        return iter(self._batches)


def in_new_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_three_lists_of_names_agree():
    tree = ast.parse(Path(compare.__file__).read_text(encoding="utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name: node.module for node in typed.body for alias in node.names}
    assert imported == compare._MODULES
    assert sorted(imported) == sorted(compare.__all__)
    assert set(compare.__all__) <= set(dir(compare))


@pytest.mark.parametrize("name", compare.__all__)
def test_every_public_name_has_examples_that_run(name):
    value = getattr(compare, name)
    assert value.__name__ == name
    assert "Example:\n" in inspect.getdoc(value)
    tests = [test for test in doctest.DocTestFinder(recurse=False).find(value, name) if test.examples]
    assert len(tests) == 1
    assert doctest.DocTestRunner(optionflags=doctest.FAIL_FAST).run(tests[0]).failed == 0


def test_the_example_of_the_package_runs():
    assert doctest.testmod(compare, raise_on_error=True).attempted > 5


def test_all_results_are_public():
    # Importing the public names has loaded every module that defines a result.
    for name in compare.__all__:
        getattr(compare, name)
    assert {kind.__name__ for kind in JsonResult.__subclasses__()} <= set(compare.__all__)


def test_unknown_names_are_errors():
    with pytest.raises(AttributeError, match="module 'compare' has no attribute 'compare_two'"):
        compare.compare_two  # noqa: B018
    with pytest.raises(ImportError):
        from compare import compare_two  # noqa: F401


def test_import_loads_neither_torch_nor_numpy():
    loaded = in_new_process("import sys, compare; dir(compare); print(*sys.modules)").split()
    assert not {"torch", "numpy", "scipy", "msgspec"} & set(loaded)
    assert "compare.engine" not in loaded


def test_results_and_predictions_need_no_torch():
    code = "import sys, compare; compare.Comparison, compare.class_disagreement, compare.find_block_structure"
    assert "torch" not in in_new_process(f"{code}; print(*sys.modules)").split()


def test_import_is_fast():
    code = "import time; start = time.perf_counter(); import compare; print(time.perf_counter() - start)"
    # The fastest of three, as other processes may run.
    assert min(float(in_new_process(code)) for _ in range(3)) < IMPORT_SECONDS


def test_a_name_is_looked_up_once():
    code = "import compare; compare.CompareError; print('CompareError' in vars(compare))"
    assert in_new_process(code).strip() == "True"


def test_batches_that_name_their_classes_name_those_of_the_result():
    images, a, b, c, d = Images(), *map(classifier, range(4))
    results = [
        compare.compare_models(a, b, images),
        compare.compare_many([a, b], images),
        compare.inspect_model(a, images),
        compare.compare_groups([a, b], [c, d], images),
    ]
    assert [result.dataset.classes for result in results] == [Images.classes] * 4
    # Names from the caller come first.
    named = compare.compare_models(a, b, images, class_names=("x", "y", "z"))
    assert named.dataset.classes == ("x", "y", "z")
    # Batches without names have numbers.
    assert compare.compare_models(a, b, list(images)).dataset.classes == ("0", "1", "2")


def test_class_names_of_the_batches_order_the_logits():
    images, a = Images(), classifier(0)
    reverse = compare.compare_models(a, a, images, model_classes=(("frog", "dog", "cat"), None))
    assert reverse.disagreement.agreement < 1
