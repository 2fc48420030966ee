from io import BytesIO

import numpy as np
from matplotlib.image import imread

from cards.picture import heatmaps_png
from tests.samples import comparison


def test_picture_is_a_png_with_the_colours_of_the_scale():
    picture = imread(BytesIO(heatmaps_png(comparison())))
    assert picture.shape[1] == 2080
    bright = (picture[..., :3] > 0.9).all(2).mean()
    dark = (picture[..., :3] < 0.15).all(2).mean()
    assert 0.2 < bright < 0.9
    assert dark > 0.005


def test_equal_results_give_equal_pictures():
    assert heatmaps_png(comparison()) == heatmaps_png(comparison())


def test_cells_without_a_value_are_grey():
    result = comparison()
    empty = tuple((None,) * 32 for _ in range(20))
    picture = imread(BytesIO(heatmaps_png(_with_ab(result, empty))))
    grey = np.abs(picture[..., :3] - 0.6).max(2) < 0.01
    assert grey.mean() > 0.1


def _with_ab(result, ab):
    from dataclasses import replace

    return replace(result, cka=replace(result.cka, ab=ab))


def test_names_are_no_formulas():
    assert heatmaps_png(comparison(name_a=r"$\frac{1}$"))
