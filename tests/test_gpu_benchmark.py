"""The parts of the benchmark of a GPU, on the CPU."""

import re

import pytest
import torch

from compare.similarity import gram
from tests.benchmarks import gpu
from tests.benchmarks.peers import LEAVES, random_batches, random_model


def relative_error(product, x):
    exact = x.double() @ x.double().T
    return ((product - exact).norm() / exact.norm()).item()


def test_tf32_has_ten_bits_after_the_first():
    x = torch.randn(1000)
    rounded = gpu.tf32(x)
    assert torch.equal(gpu.tf32(rounded), rounded)
    assert 2**-13 < ((rounded - x) / x).abs().max() <= 2**-11


@pytest.mark.parametrize(
    ("rounded", "product", "bits"), [(gpu.tf32, gpu.tf32_product, 21), (gpu.bf16, gpu.bf16_product, 16)]
)
def test_three_products_of_fewer_bits_are_nearly_one_in_single_precision(rounded, product, bits):
    x = torch.randn(32, 500, generator=torch.Generator().manual_seed(0))
    three = gpu.three_products(rounded, product)(x, x)
    assert three.dtype == torch.float32
    assert relative_error(three, x) < 2**-bits
    assert relative_error(product(rounded(x), rounded(x)), x) > 2**-bits
    assert torch.get_float32_matmul_precision() == "highest"


def test_the_package_multiplies_by_the_given_function_and_then_as_before():
    x, original = torch.randn(8, 50), gram.times_transposed
    with gpu.products_by(lambda a, b: torch.zeros(len(a), len(b))):
        assert not gram.gram(x).any()
    assert gram.gram(x).any()
    with gpu.products_by(None):
        assert gram.times_transposed is original


def test_every_precision_has_a_row_with_its_error(capsys):
    models = [random_model(8, 0.5, seed) for seed in (0, 1)]
    gpu.print_products("title", models, random_batches(32, 16, 9), LEAVES, 1, "cpu")
    rows = dict(re.findall(r"^(\S.*?)  +.* (\S+e\S+)$", capsys.readouterr().out, flags=re.M))
    assert rows.keys() >= gpu.PRODUCTS.keys()
    assert all(float(rows[name]) < (1e-2 if name == "bf16" else 1e-5) for name in gpu.PRODUCTS)
    assert float(rows["bf16"]) > 1e-5
