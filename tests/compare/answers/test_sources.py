"""Examples in a result name their file or row, if the batches know it."""

from dataclasses import replace
from types import SimpleNamespace

import torch

from compare.answers.sources import with_sources
from compare.engine.pair import compare_models
from compare.engine.single import inspect_model
from compare.groups.groups import compare_groups
from compare.result.comparison import Comparison
from tests.support.networks import Net, stream
from tests.support.samples import inspection


class Files(list):
    """Minibatches of images with indices from 1,000 on, each in a file named after its index."""

    def path(self, index):
        return f"some/{index}.png"

    def row(self, index):
        return None


class Rows(Files):
    def path(self, index):
        return None

    def row(self, index):
        return 2 * index


def batches(kind):
    indices = torch.arange(1000, 1060).split(30)
    return kind((x, y, part) for (x, y), part in zip(stream((30, 30)), indices, strict=True))


def examples_of(result):
    return (*result.disagreement.examples, *result.cka.without_dominant.examples)


def test_every_example_of_a_comparison_names_its_file():
    examples = examples_of(compare_models(Net(0), Net(1), batches(Files)))
    assert len(examples) > 3
    assert all((example.path, example.row) == (f"some/{example.index}.png", None) for example in examples)


def test_images_without_files_have_rows():
    examples = examples_of(compare_models(Net(0), Net(1), batches(Rows)))
    assert all((example.path, example.row) == (None, 2 * example.index) for example in examples)


def test_other_batches_and_earlier_files_have_neither():
    result = replace(compare_models(Net(0), Net(1), batches(list)), cautions=())
    assert {(example.path, example.row) for example in examples_of(result)} == {(None, None)}
    earlier = result.to_json().replace(',"path":null,"row":null', "").replace(',"cautions":[]', "")
    assert "path" not in earlier
    assert Comparison.from_json(earlier) == Comparison.from_json(result.to_json())


def test_images_that_dominate_blocks_name_their_file_too():
    (block,) = with_sources(inspection(), Files()).inside.blocks
    assert [example.path for example in block.dominant.examples] == ["some/17.png"]
    result = inspect_model(Net(0), batches(Files))
    assert all(example.path for part in result.inside.blocks for example in part.dominant.examples)


def test_every_image_of_groups_names_its_file_or_row():
    seeds = [Net(seed) for seed in range(4)]
    of_files, of_rows, unknown = (compare_groups(seeds[:2], seeds[2:], batches(kind)) for kind in (Files, Rows, list))
    assert of_files.examples.path == tuple(f"some/{index}.png" for index in of_files.examples.index)
    assert of_rows.examples.row == tuple(2 * index for index in of_rows.examples.index)
    assert (of_files.examples.row, of_rows.examples.path) == ((), ())
    assert [image.path for image in of_files.confirmed_examples.selected] == [
        f"some/{image.item}.png" for image in of_files.confirmed_examples.selected
    ]
    assert {(item.path, item.row) for item in of_files.confirmed_classes.selected} == {(None, None)}
    assert (unknown.examples.path, unknown.examples.row) == ((), ())


def test_a_path_that_is_not_utf8_can_be_written_as_json():
    files = SimpleNamespace(path=lambda index: "caf\udce9/1.png", row=lambda index: None)
    (block,) = with_sources(inspection(), files).inside.blocks
    assert block.dominant.examples[0].path == "caf\N{REPLACEMENT CHARACTER}/1.png"
    with_sources(inspection(), files).to_json()
