"""The tiles at the top of pages: they agree with the result, and say why a number is missing."""

from dataclasses import replace

from cards.page.page import KeyNumber
from cards.pages.tiles import inspection_tiles, matrix_tiles
from tests.support.pages import several
from tests.support.samples import inspection


def texts(tiles):
    return {tile.title: tile.numbers for tile in tiles}


def test_tiles_of_several_models_name_the_most_and_the_least_similar_pair():
    result = several((9, 9, 9))
    pairs = [replace(pair, best_match_cka=cka) for pair, cka in zip(result.pairs, (0.5, 0.91, 0.7), strict=True)]
    tiles = texts(matrix_tiles(replace(result, pairs=tuple(pairs))))
    assert tiles["Similarity inside"] == (
        KeyNumber("0.91", "most similar: 1 and 3 (standard error 0.012)"),
        KeyNumber("0.50", "least similar: 1 and 2 (standard error 0.012)"),
    )
    assert tiles["Beside untrained copies"][0].value == "3 of 3"
    assert tiles["Accuracy"] == (KeyNumber("89.8 to 90.0%", "most accurate: model 1"),)


def test_a_missing_number_has_a_reason():
    result = several((9, 9, 9))
    unknown = {"best_match_cka": None, "agreement": None, "baseline": None}
    models = tuple(replace(model, accuracy=None) for model in result.models)
    pairs = tuple(replace(pair, **unknown) for pair in result.pairs)
    numbers = texts(matrix_tiles(replace(result, models=models, pairs=pairs))).values()
    assert len(numbers) == 4
    assert all(number.value is None and number.text for (number,) in numbers)


def test_tiles_of_an_inspection_say_what_its_blocks_rest_on():
    tiles = texts(inspection_tiles(inspection()))
    assert tiles["Accuracy"] == (KeyNumber("70.0%", "of 80 pets test images"),)
    assert tiles["Block structure"][0].value == "44%"
    assert tiles["Block structure"][0].text.startswith("14 of its 32 layers; score 0.39")
    assert tiles["Without the first component"] == (KeyNumber("0 of 1", "block stays similar without it"),)
    several = inspection()
    several = replace(several, inside=replace(several.inside, components=2, blocks=several.inside.blocks * 2))
    (number,) = texts(inspection_tiles(several))["Without the first 2 components"]
    assert number.text == "blocks stay similar without them"
    assert tiles["Dominant images"][0] == KeyNumber("60%", "of what a block's layers share comes from 1 of 80 images")
    assert texts(inspection_tiles(inspection(block=False)))["Block structure"][0].value == "none"
