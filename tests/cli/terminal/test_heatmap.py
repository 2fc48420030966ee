import re
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from cards.words.stages import Stage, stages
from cli.terminal.heatmap import Axis, Heatmap


def render(heatmap, color_system=None, no_color=False):
    terminal = color_system is not None
    console = Console(file=StringIO(), width=80, color_system=color_system, force_terminal=terminal, no_color=no_color)
    console.print(heatmap)
    return console.file.getvalue()


def axis(layers, blocks=()):
    third = layers // 3
    parts = (Stage("stem", 0, third), Stage("body", third, 2 * third), Stage("head", 2 * third, layers))
    return Axis(parts, blocks)


def test_stages_are_runs_of_the_first_part_of_the_name():
    names = ["input", "stem.conv", "stem.bn", "layer1.0.conv", "layer1.1.conv", "fc", "fc#2"]
    assert stages(names) == (
        Stage("input", 0, 1),
        Stage("stem", 1, 3),
        Stage("layer1", 3, 5),
        Stage("fc", 5, 7),
    )


def test_origin_is_lower_left_and_dense_means_alike():
    matrix = np.zeros((6, 6))
    matrix[:2, :3] = 1
    lines = render(Heatmap(matrix, axis(6), axis(6), "title", 60)).splitlines()
    assert lines[0].strip() == "title"
    assert lines[1].endswith("      ")
    assert lines[3].rstrip().endswith("███")
    assert "└" in lines[4]


def test_stage_names_stand_at_both_axes():
    text = render(Heatmap(np.zeros((30, 30)), axis(30), axis(30), "", 60))
    for name in ("stem", "body", "head"):
        assert text.count(name) == 2


def test_more_layers_than_room_are_averaged():
    matrix = np.zeros((100, 100))
    matrix[:, :50] = 1
    lines = render(Heatmap(matrix, axis(100), axis(100), "", 10)).splitlines()
    assert lines[2].endswith("█████     ")


def test_cells_without_a_value_are_marked_and_left_out_of_means():
    matrix = [[None, None, 1.0, 1.0], [None, None, None, 1.0]] * 2
    lines = render(Heatmap(matrix, axis(4), axis(4), "", 60)).splitlines()
    assert lines[1].endswith("??██")


def test_block_structure_is_marked_along_both_axes():
    text = render(Heatmap(np.ones((30, 30)), axis(30, ((10, 20),)), axis(30, ((10, 20),)), "", 60))
    assert text.count("┃") == 5
    assert text.count("━") == 10


@pytest.mark.parametrize("system", ["truecolor", "256"])
def test_colours_show_two_rows_of_cells_per_line(system):
    text = render(Heatmap(np.eye(8), axis(8), axis(8), "", 60), system)
    assert text.count("▀") == 8 * 4
    assert "\x1b[38;" in text


@pytest.mark.parametrize(("system", "no_color"), [(None, False), ("standard", False), ("truecolor", True)])
def test_without_colours_there_are_shades(system, no_color):
    text = render(Heatmap(np.eye(8), axis(8), axis(8), "", 60), system, no_color=no_color)
    assert "▀" not in text
    assert "▒" in text or "▓" in text


def test_title_of_a_small_map_is_whole_beside_another():
    grid = Table.grid()
    grid.add_row(*[Heatmap(np.ones((4, 4)), axis(4), axis(4), "a title longer than the map", 60)] * 2)
    assert render(grid).count("a title longer than the map") == 2


def test_odd_number_of_layers_keeps_the_top_row():
    text = render(Heatmap(np.ones((7, 7)), axis(7), axis(7), "", 60), "truecolor")
    assert text.count("▄") == 7
    assert text.count("▀") == 7 * 3


@pytest.mark.parametrize(("colours", "mark"), [(None, "×"), ("truecolor", "×")])
def test_cells_that_are_not_above_chance_are_crossed_out(colours, mark):
    above = np.ones((6, 6), dtype=bool)
    above[4:, 5] = False
    lines = render(Heatmap(np.ones((6, 6)), axis(6), axis(6), "", 60, above.tolist()), colours).splitlines()
    assert [line.count(mark) for line in lines] == [0, 1, 0, 0, 0, 0]
    assert re.sub(r"\x1b\[[\d;]*m", "", lines[1]).rstrip().endswith(mark)


@pytest.mark.parametrize("colours", [None, "truecolor"])
def test_chosen_cells_have_dots(colours):
    dotted = np.zeros((6, 6), dtype=bool)
    dotted[:2, 3:] = True
    lines = render(Heatmap(np.ones((6, 6)), axis(6), axis(6), "", 60, dotted=dotted.tolist()), colours).splitlines()
    assert [line.count("•") for line in lines] == [0, 0, 0, 3, 0, 0]


def test_cells_without_a_value_are_not_marked():
    matrix = np.ones((6, 6))
    matrix[0, 0] = np.nan
    above = [[None if cell != cell else True for cell in row] for row in matrix]
    assert "×" not in render(Heatmap(matrix, axis(6), axis(6), "", 60, above))
