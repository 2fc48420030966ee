"""Small sample results with known values."""

from dataclasses import replace

import numpy as np

from compare.result.base import Estimate
from compare.result.comparison import BlockPair, CKAResult, CKAWithoutDominant, Comparison, MeasureResult
from compare.result.disagreement import Calibration, ClassRow, Confusion, Disagreement, Example, Reliability, Together
from compare.result.inside import AtThreshold, Block, BlockScore, DominantExample, DominantExamples, Inside
from compare.result.inspection import Inspection, WithoutDominant
from compare.result.models import DatasetResult, ModelPair, ModelResult
from compare.structure.spans import find_block_structure

STAGES = ["stem"] * 4 + ["stage1"] * 12 + ["stage2"] * 14 + ["head"] * 2


def matrix(values):
    return tuple(tuple(map(float, row)) for row in values)


def model(name, count, fraction, accuracy):
    return ModelResult(
        ref=f"models/{name}",
        name=name,
        revision=None,
        sha256="0" * 64,
        architecture="cifar_resnet",
        parameters=175_338,
        accuracy=accuracy,
        layers=tuple(f"{stage}.{i}" for i, stage in enumerate(STAGES[:count])),
        pc1_fraction=tuple(float(value) for value in fraction),
    )


def comparison(name_a="shallow", name_b="deep", classes=("cat", "dog"), notes=()):
    """A comparison in which b has block structure in layers 16 to 29 and a has none."""
    distance = np.abs(np.arange(32)[:, None] - np.arange(32))
    bb = np.exp(-distance / 6)
    bb[16:30, 16:30] = 0.95
    fraction = np.where((np.arange(32) >= 16) & (np.arange(32) < 30), 0.9, 0.1)
    aa = np.exp(-distance / 6)[:20, :20]
    a, b = model(name_a, 20, np.full(20, 0.1), 0.85), model(name_b, 32, fraction, 0.7)
    row = ClassRow(classes[0], 40, 0.9, 0.6, 0.3, 0.1234, 0.4567, 13, 1, 0.00183, 0.00366)
    same = ClassRow(classes[1], 40, 0.8, 0.8, 0.0, -0.1, 0.1, 2, 2, 1.0, 1.0)
    example = Example(index=17, label=0, prediction_a=0, prediction_b=1, confidence_a=0.99, confidence_b=0.875)
    return Comparison(
        models=ModelPair(a=a, b=b),
        dataset=DatasetResult("pets", "test", 80, classes, "f" * 64),
        cka=CKAResult(
            ab=matrix(np.exp(-distance / 9)[:20, :32] * 0.9),
            aa=matrix(aa),
            bb=matrix(bb),
            standard_error_ab=matrix(np.full((20, 32), 0.01)),
            batch_size=20,
            passes=1,
        ),
        block_structure=BlockPair(
            a=find_block_structure(aa, a.pc1_fraction, layers=a.layers),
            b=find_block_structure(bb, b.pc1_fraction, pc1_alignment=bb, layers=b.layers),
        ),
        disagreement=Disagreement(
            *(0.8, 0.85, 0.7, 53, 15, 3, 9, 0.0075, (row, same), (example,)),
            agreement_interval=(0.7, 0.87),
            accuracy_a_interval=(0.756, 0.912),
            accuracy_b_interval=(0.592, 0.789),
            difference=Estimate(0.15, 0.05, 0.25),
            churn=0.2,
            both_wrong_alike=7,
            both_wrong_differently=2,
            error_consistency=Estimate(0.25, None, None),
            worse_with_b=(classes[0],),
            confusions=(Confusion(0, 1, 4, 16, 0.0018, 0.0036),),
            divergence=0.123,
            calibration_a=Calibration(0.05, 0.9, (Reliability(14 / 15, 1.0, 60, 0.97, 0.9, 0.8, 0.95),)),
            calibration_b=Calibration(0.11, 0.8, ()),
            together=Together(Estimate(0.875, 0.785, 0.931), Estimate(0.025, -0.02, 0.08), Estimate(0.8875, 0.8, 0.94)),
        ),
        settings={"layers": "all", "passes": 1, "seed": 0, "estimator": "minibatch HSIC_1", "minibatches": 4}
        | {"precision": "fp32"},
        versions={"python": "3"},
        notes=notes,
        measures=(_cosine(distance),),
    )


def _cosine(distance):
    cells = np.exp(-distance / 18)
    parts = (cells[:20, :32] * 0.9, cells[:20, :20], cells, np.full((20, 32), 0.02))
    return MeasureResult("cosine", *map(matrix, parts), null=None)


def dominated():
    """The comparison, with 4 images whose removal changes CKA of the upper 10 layers of a with the last 16 of b."""
    result = comparison()
    change = np.full((20, 32), 0.05)
    change[10:, 16:] = 0.2
    cells, changed = np.array(result.cka.ab) + change, change > 0.1
    examples = (DominantExample(17, 0, 0.25, 0.125),)
    without = CKAWithoutDominant(0.05, 4, 80, examples, matrix(cells), tuple(map(tuple, changed.tolist())))
    return replace(result, cka=replace(result.cka, without_dominant=without))


def inspection(block=True, survives=False):
    """An inspection of model b of `comparison`: one block in layers 16 to 29, carried by one image."""
    pair = comparison()
    curve = (AtThreshold(0.8, 0.41, 1), AtThreshold(0.85, 0.39, 1), AtThreshold(0.95, 0.33, 2))
    nothing = tuple(AtThreshold(at.threshold, 0.0, 0) for at in curve)
    score = BlockScore(0.39, 0.30, 0.45, curve) if block else BlockScore(0.0, 0.0, 0.0, nothing)
    dominant = DominantExamples(1, 0.6, 0.5, 0.9, 20.0, (DominantExample(17, 0, 0.6, 0.5),))
    blocks = (Block(16, 30, 0.9, 15.0, 17.0, 29.0, 30.0, 0.95 if survives else 0.4, survives, dominant),)
    return Inspection(
        model=pair.models.b,
        dataset=pair.dataset,
        cka=pair.cka.bb,
        standard_error=pair.cka.bb,
        block_structure=pair.block_structure.b if block else (),
        inside=Inside(score, blocks if block else (), pair.cka.bb, 1, pair.cka.bb, ()),
        settings={"components": 1},
        versions={"python": "3"},
        notes=(),
        without_dominant=WithoutDominant(0.01, 1, pair.cka.bb, (), 0.0) if block else None,
    )
