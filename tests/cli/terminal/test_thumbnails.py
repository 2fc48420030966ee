from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from cli.terminal.thumbnails import Thumbnails


def render(images, width=80, system="truecolor"):
    console = Console(file=StringIO(), width=width, color_system=system, force_terminal=True)
    console.print(Thumbnails(images))
    return console.file.getvalue()


def test_two_rows_of_an_image_are_one_line_of_half_blocks():
    text = render({"7": [[[255, 0, 0], [0, 0, 255]], [[0, 255, 0], [9, 9, 9]]]})
    caption, line, *_ = text.splitlines()
    assert caption == "7"
    assert "\x1b[38;2;255;0;0;48;2;0;255;0m▀" in line
    assert "\x1b[38;2;0;0;255;48;2;9;9;9m▀" in line


@pytest.mark.parametrize("shape", [(224, 224, 3), (28, 28, 1), (10, 300, 3), (7, 5, 1), (1, 1, 1)])
@pytest.mark.slow
def test_pictures_of_any_size_fit_their_place(shape):
    images = {str(i): np.full(shape, 100).tolist() for i in range(20)}
    lines = [line for line in render(images).splitlines() if "▀" in line]
    assert 1 <= len(lines) <= 8
    assert all(line.count("▀") <= 4 * 16 for line in lines)
    assert "\x1b[38;2;100;100;100;48;2;" in lines[0]


def test_without_colours_there_is_nothing():
    assert render({"7": [[[1]]]}, system=None) == ""
    assert render({}) == ""
