from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from cards.pictures.figure import image_bytes
from cards.pictures.heatmaps import dots, heatmaps_figure, matrix_figure, training_png, within_png
from compare.result.comparison import NullResult
from compare.result.matrix import ModelMatrix, PairResult
from tests.support.samples import comparison, dominated

pytestmark = pytest.mark.slow


def test_picture_is_a_png_with_the_colours_of_the_scale():
    picture = imread(BytesIO(image_bytes(heatmaps_figure(comparison()))))
    assert picture.shape[1] == 2080
    bright = (picture[..., :3] > 0.9).all(2).mean()
    dark = (picture[..., :3] < 0.15).all(2).mean()
    assert 0.2 < bright < 0.9
    assert dark > 0.005


def test_equal_results_give_equal_pictures():
    assert image_bytes(heatmaps_figure(comparison())) == image_bytes(heatmaps_figure(comparison()))


def test_pictures_of_a_card_are_drawn_wide_enough_for_700_pixels(trained):
    for data in (within_png(comparison()), training_png(trained[1])):
        assert 700 <= imread(BytesIO(data)).shape[1] <= 1200


def test_a_single_epoch_is_drawn_as_a_point(trained):
    def blue(record):
        picture = imread(BytesIO(training_png(record)))
        return (np.abs(picture[..., :3] - (0.12, 0.47, 0.71)).max(2) < 0.02).sum()

    assert blue(replace(trained[1], history=trained[1].history[:1])) > 5


def test_cells_without_a_value_are_grey():
    result = comparison()
    empty = tuple((None,) * 32 for _ in range(20))
    picture = imread(BytesIO(image_bytes(heatmaps_figure(_with_ab(result, empty)))))
    grey = np.abs(picture[..., :3] - 0.6).max(2) < 0.01
    assert grey.mean() > 0.1


def _with_ab(result, ab):
    return replace(result, cka=replace(result.cka, ab=ab))


def test_names_are_not_read_as_formulas():
    assert image_bytes(heatmaps_figure(comparison(name_a=r"$\frac{1}$")))


@pytest.mark.slow
def test_cells_that_are_not_above_chance_are_hatched():
    result = comparison()
    ab = np.array(result.cka.ab)

    def picture(above):
        null = NullResult(19, result.cka.ab, result.cka.ab, 0.5, tuple(map(tuple, above.tolist())))
        return imread(BytesIO(image_bytes(heatmaps_figure(replace(result, cka=replace(result.cka, null=null))))))

    def grey(above):
        return (np.abs(picture(above)[..., :3] - 0.7).max(2) < 0.02).mean()

    none, some, all_of_them = grey(ab > -1), grey(ab > 0.2), grey(ab > 2)
    assert 3 * none < some < all_of_them / 2


def test_dots_stand_on_marked_cells_and_one_for_several_of_many():
    assert dots(((False, True, None), (True, False, False))) == [(1.0, 0.0), (0.0, 1.0)]
    marked = np.zeros((80, 120), dtype=bool)
    marked[:, 60:] = True
    marked[0] = True
    # 40 dots on a side would fit; each stands for two rows and three columns, at least half of them marked.
    places = dots(marked.tolist())
    assert len(places) == 40 * 20 + 20
    assert min(x for x, y in places if y > 1) == 61.0


def test_a_picture_has_dots_where_cka_changes_without_dominant_images():
    def white(result):
        picture = imread(BytesIO(image_bytes(heatmaps_figure(result))))
        return (picture[100:560, 1350:1870, :3] == 1).all(2).sum()

    assert white(dominated()) > white(comparison()) + 160


@pytest.mark.slow
def test_matrix_of_models_has_a_map_for_each_pair_and_model():
    one = comparison()
    a, b = one.models.a, one.models.b
    pairs = [PairResult(i, j, 0.5, 0.1, 0.6, 0.9, 0.8, 0.95, one.cka.ab) for i, j in ((0, 1), (0, 2))]
    pairs.append(PairResult(1, 2, 0.5, 0.1, 0.6, 0.9, 0.8, 0.95, one.cka.bb))
    result = ModelMatrix(
        models=(a, b, replace(b, name="third $")),
        dataset=one.dataset,
        pairs=tuple(pairs),
        within=(one.cka.aa, one.cka.bb, one.cka.bb),
        settings={},
        versions={},
        notes=(),
    )
    picture = imread(BytesIO(image_bytes(matrix_figure(result))))
    height, width = picture.shape[:2]
    assert (picture[: height // 3, width // 2 : 4 * width // 5, :3] == 1).all()
    assert not (picture[2 * height // 3 :, : width // 4, :3] == 1).all()
