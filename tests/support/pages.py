"""Sample results for pages: large ones, and ones with hostile names."""

from dataclasses import replace
from itertools import combinations

import numpy as np

from compare.result.comparison import Baseline, BaselineSide, MeasureResult, NullResult
from compare.result.disagreement import Calibration, Example, Reliability
from compare.result.inside import InsidePair
from compare.result.inspection import DeletedBlocks, ProbeResult, ProbeRow
from compare.result.matrix import ModelMatrix, PairResult
from tests.support.samples import comparison, inspection, matrix, model

MEAN = (
    *("<script>alert(1)</script>", "</script><!--<script>", "[red]", "two\nlines", "\u202egnp.exe", "x" * 10_000),
    *(
        "<b>bold</b>",
        "<a href='javascript:alert(1)'>go</a>",
        "%{z} ${x} {{ 7 * 7 }}",
        "&lt;img src=x onerror=alert(1)&gt;",
    ),
)
IMAGES = {17: [[[0], [255]], [[255], [0]]]}


def full(layers=None, classes=("cat", "dog")):
    """A comparison with every part of a page; each model has `layers` layers, by default 20 and 32."""
    result = comparison(classes=classes)
    if layers is not None:
        result = _with_layers(result, layers)
    cka, rows = result.cka, (len(result.models.a.layers), len(result.models.b.layers))
    inner = inspection().inside
    sides = (
        replace(inner, pc1_alignment=_symmetric(n, seed), cka_without=_symmetric(n, seed + 1))
        for n, seed in zip(rows, (1, 3), strict=True)
    )
    knn = MeasureResult("knn", _noise(*rows, 5), _symmetric(rows[0], 6), _symmetric(rows[1], 7), cka.ab, None)
    above = tuple(tuple(cell > 0.3 for cell in row) for row in cka.ab)
    bins = (Reliability(0.4, 0.5, 9, 0.45, 0.5, 0.2, 0.8), Reliability(0.9, 1.0, 71, 0.97, 0.9, 0.8, 0.95))
    return replace(
        result,
        cka=replace(cka, null=NullResult(19, cka.ab, cka.ab, 0.5, above)),
        measures=(*result.measures, knn),
        inside=InsidePair(*sides, ()),
        disagreement=replace(
            result.disagreement,
            calibration_a=Calibration(0.05, 0.9, bins),
            calibration_b=Calibration(0.11, 0.8, bins[1:]),
        ),
    )


def mean():
    """A comparison whose names try to inject HTML, markup, and control characters."""
    result = full(classes=MEAN[:2])
    a, b = result.models.a, result.models.b
    a = replace(a, name=MEAN[0], ref=MEAN[1], architecture=MEAN[6], layers=(*MEAN, *a.layers[len(MEAN) :]))
    b = replace(b, name=MEAN[5], ref=MEAN[4], layers=(*b.layers[: -len(MEAN)], *MEAN))
    spans = tuple(replace(span, first_layer=MEAN[0], last_layer=MEAN[5]) for span in result.block_structure.b)
    return replace(
        result,
        models=replace(result.models, a=a, b=b),
        block_structure=replace(result.block_structure, b=spans),
        dataset=replace(result.dataset, name=MEAN[6], split=MEAN[1]),
        settings=result.settings | {"layers": MEAN[1]},
        notes=MEAN,
    )


def deep_look():
    """An inspection with every part of a page."""
    rows = tuple(
        ProbeRow(f"stage1.{i}.add", kind, 64, 0.8 + i / 50, 0.7, 0.99, -2, None)
        for i in range(4)
        for kind in ("pre", "post")
    )
    return replace(
        inspection(),
        deletion=tuple(DeletedBlocks("stage1", i, None, 80 - 9 * i, 80) for i in range(4)),
        probes=ProbeResult(rows, 0.9, 0.8, 0.95, 2, 200, 40, 80, 10, 0),
    )


def several(layers, names=()):
    """A matrix of models with random similarities, named `m0`, `m1`, ... by default."""
    base, random = comparison(), np.random.default_rng(0)
    models = tuple(
        replace(
            model(names[i] if names else f"m{i}", 0, random.random(count), 0.9 - i / 1000),
            layers=tuple(f"stage{1 + k * 3 // count}.{k // 8}.conv{k % 8}" for k in range(count)),
            parameters=1000 * (1 + (i * 7) % len(layers)),
        )
        for i, count in enumerate(layers)
    )
    pairs = tuple(
        PairResult(
            a=a,
            b=b,
            same_depth_cka=random.uniform(0.3, 0.95) if layers[a] == layers[b] else None,
            same_depth_standard_error=0.0123 if layers[a] == layers[b] else None,
            best_match_cka=random.uniform(0.4, 0.97),
            agreement=random.uniform(0.93, 0.98),
            agreement_low=0.91,
            agreement_high=0.99,
            cka=_noise(layers[a], layers[b], 100 * a + b),
            best_match_standard_error=0.0123,
            stage_match_cka=random.uniform(0.4, 0.97),
            ceiling=0.96 if layers[a] == layers[0] else None,
            best_match_cosine=0.7,
            best_match_cosine_standard_error=0.01,
            cosine=_noise(layers[a], layers[b], 1000 + 100 * a + b),
            baseline=Baseline(
                (0, 1, 2), BaselineSide(0.8, 0.7, 0.1, 0.08, 0.12), BaselineSide(0.8, 0.6, 0.2, 0.05, 0.35)
            ),
        )
        for a, b in combinations(range(len(layers)), 2)
    )
    return ModelMatrix(
        models=models,
        dataset=base.dataset,
        pairs=pairs,
        within=tuple(_symmetric(count, i) for i, count in enumerate(layers)),
        within_cosine=tuple(_symmetric(count, 1000 + i) for i, count in enumerate(layers)),
        settings=base.settings | {"batch_size": 20},
        versions=base.versions,
        notes=(),
    )


def _with_layers(result, count):
    names = tuple(f"stage{1 + i * 3 // count}.{i // 8}.conv{i % 8}" for i in range(count))
    models = (replace(model, layers=names, pc1_fraction=(0.5,) * count) for model in (result.models.a, result.models.b))
    square = {"aa": _symmetric(count, 1), "bb": _symmetric(count, 2)}
    cka = replace(result.cka, ab=_noise(count, count, 3), standard_error_ab=_noise(count, count, 4), **square)
    measures = tuple(replace(measure, ab=cka.ab, standard_error_ab=cka.ab, **square) for measure in result.measures)
    return replace(result, cka=cka, measures=measures, models=type(result.models)(*models))


def _noise(rows, columns, seed):
    return matrix(np.random.default_rng(seed).random((rows, columns)))


def _symmetric(count, seed):
    values = np.random.default_rng(seed).random((count, count))
    return matrix((values + values.T) / 2)


def disagreeing():
    """A comparison with 6 images that the models predict differently, and these images."""
    result = comparison(classes=("cat", "dog", "<b>fox</b>"))
    confidences = (0.95, 0.93, 0.8, 0.7, 0.6, 0.4)
    answers = ((0, 0, 1), (1, 0, 1), (2, 0, 1), (0, 0, 2), (0, 1, 2), (1, 2, 1))
    examples = tuple(
        Example(index, label, a, b, 0.97, confidence, path=f"{index}/<i>caf\N{REPLACEMENT CHARACTER}</i>.png")
        for index, ((label, a, b), confidence) in enumerate(zip(answers, confidences, strict=True))
    )
    images = {index: IMAGES[17] for index in range(len(examples))}
    return replace(result, disagreement=replace(result.disagreement, examples=examples)), images
