"""One network reduced to numbers, from an inspection whose truth is planted."""

from dataclasses import replace

import numpy as np
import pytest

from compare.result.inspection import DeletedBlocks, ProbeResult, ProbeRow
from compare.result.study import UNKNOWN
from compare.study.digest import digest, heatmap, in_block
from tests.support.samples import inspection, matrix

WHICH = {"depth": 74, "width": 1.0, "subset": "1/4", "seed": 3}
# Residual blocks stage1.0 to stage1.3, of eight layers each; the two in the middle are alike.
LAYERS = tuple(f"stage1.{i // 8}.layer{i % 8}" for i in range(32))


def planted(**known):
    """A network with block structure in layers 8 to 24 of 32."""
    found = inspection()
    span = replace(found.block_structure[-1], start=8, stop=24, kind="block structure")
    return replace(found, model=replace(found.model, layers=LAYERS), block_structure=(span,), **known)


def row(removed, right, stage="stage1"):
    return DeletedBlocks(stage, removed, f"{stage}.{4 - removed}" if removed else None, right, 100)


def probes(*accuracies):
    rows = tuple(
        ProbeRow(f"stage1.{i}.layer7", kind, 64, accuracy if kind == "post" else 0.1, 0.0, 1.0, -2, None)
        for i, accuracy in enumerate(accuracies)
        for kind in ("pre", "post")
    )
    return ProbeResult(rows, 0.9, 0.8, 0.95, 2, 200, 40, 80, 10, 0)


def test_layers_in_block_structure_are_those_of_its_spans():
    assert np.flatnonzero(in_block(planted())).tolist() == list(range(8, 24))
    homogeneous = replace(planted().block_structure[0], kind="homogeneous span")
    assert not in_block(replace(planted(), block_structure=(homogeneous,))).any()


def test_cka_of_blocks_is_that_of_pairs_of_their_layers():
    inside = np.zeros(32, dtype=bool)
    inside[8:24] = True
    both = inside[:, None] & inside
    found = planted(cka=matrix(np.where(both, 0.9, 0.2) + np.eye(32)))
    found = replace(found, inside=replace(found.inside, cka_without=matrix(np.where(both, 0.4, 0.8))))
    network = digest(found, **WHICH)
    assert (network.block_cka, network.block_cka_without) == pytest.approx((0.9, 0.4))


def test_share_of_the_component_is_over_pairs_at_equal_distances():
    distance = np.abs(np.subtract.outer(np.arange(32), np.arange(32)))
    both = np.zeros((32, 32), dtype=bool)
    both[8:24, 8:24] = True
    # Outside, the share falls with distance; pairs farther apart than the block is long do not count.
    outside = np.where(distance < 16, 0.5, 0.0)
    found = planted(cka=matrix(np.where(both, 0.9, 0.5) + np.eye(32)))
    part = np.where(both, 0.81, outside * 0.5)
    found = replace(found, inside=replace(found.inside, pc1_cka=matrix(part)))
    share = digest(found, **WHICH).pc1_share
    assert (share.inside, share.outside) == pytest.approx((0.9, 0.5))
    assert digest(planted(), **WHICH).pc1_share == UNKNOWN


def test_maps_are_correlated_over_pairs_with_and_without_a_layer_in_a_block():
    random = np.random.default_rng(0)
    cka, alignment = random.random((2, 32, 32))
    touches = np.zeros((32, 32), dtype=bool)
    touches[8:24], touches[:, 8:24] = True, True
    alignment = np.where(touches, 2 * cka - 1, alignment)
    found = planted(cka=matrix(cka))
    found = replace(found, inside=replace(found.inside, pc1_alignment=matrix(alignment)))
    correlation = digest(found, **WHICH).map_correlation
    outside = np.triu(~touches, 1)
    assert correlation.inside == pytest.approx(1)
    assert correlation.outside == pytest.approx(np.corrcoef(cka[outside], alignment[outside])[0, 1])


def test_contrast_of_a_block_is_that_at_its_borders():
    both = np.zeros((32, 32), dtype=bool)
    both[8:24, 8:24] = True
    found = planted(cka=matrix(np.where(both, 0.9, 0.2)))
    found = replace(found, inside=replace(found.inside, cka_without=matrix(np.where(both, 0.5, 0.4))))
    network = digest(found, **WHICH)
    assert (network.block_contrast, network.block_contrast_without) == pytest.approx((0.7, 0.1))


def test_removal_costs_what_it_takes_away_while_the_network_works():
    # From the end: stage1.3 outside of it, stage1.2 and stage1.1 inside, stage1.0 outside.
    found = planted(deletion=(row(0, 90), row(1, 87), row(2, 86), row(3, 70), row(4, 10)))
    contrast = digest(found, **WHICH).deletion_cost
    assert contrast.outside == pytest.approx(0.03)
    assert contrast.inside == pytest.approx((0.01 + 0.16) / 2)


def test_probes_gain_over_the_residual_block_before():
    contrast = digest(planted(probes=probes(0.5, 0.52, 0.53, 0.9)), **WHICH).probe_gain
    assert contrast.inside == pytest.approx((0.02 + 0.01) / 2)
    assert contrast.outside == pytest.approx(0.37)


def test_network_without_block_structure_has_nothing_in_it():
    found = replace(inspection(block=False), deletion=(row(0, 90), row(1, 80)))
    network = digest(found, **WHICH)
    assert (network.score, network.blocks) == (0, 0)
    assert (network.block_cka, network.block_cka_without) == (None, None)
    assert (network.block_contrast, network.block_contrast_without) == (None, None)
    assert network.pc1_fraction.inside is network.deletion_cost.inside is None
    assert network.pc1_fraction.outside == pytest.approx(np.mean(found.model.pc1_fraction))


def test_heatmap_is_coarse_and_keeps_means_and_borders():
    values = np.random.default_rng(0).random((96, 96))
    found = planted(cka=matrix(values))
    coarse = heatmap(found, **WHICH)
    assert np.array(coarse.cka) == pytest.approx(values.reshape(48, 2, 48, 2).mean((1, 3)))
    assert coarse.blocks == ((8 / 96, 24 / 96),)
