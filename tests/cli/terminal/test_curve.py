from io import StringIO

from rich.console import Console

from cli.terminal.curve import Curve


def drawn(curve, width=80, encoding="utf-8"):
    file = StringIO()
    console = Console(file=file, width=width, color_system=None)
    options = console.options.update(max_width=width)
    options.encoding = encoding
    for segment in curve.__rich_console__(console, options):
        file.write(segment.text)
    return file.getvalue().splitlines()


def test_bars_grow_with_the_values_between_smallest_and_largest():
    title, top, bottom = drawn(Curve("loss", [0.0, 0.5, 1.0], ".1f", height=2))
    assert title == "loss"
    assert top == "1.0 │  █"
    assert bottom == "0.0 │▁██"


def test_more_epochs_than_room_become_means():
    lines = drawn(Curve("loss", list(range(1000)), "d"), width=40)
    assert {len(line) for line in lines[1:]} == {40}
    assert lines[-1].endswith("█" * 20)


def test_equal_values_and_a_single_one_are_full_bars():
    assert drawn(Curve("loss", [2.0], ".1f", height=2))[1:] == ["2.0 │█", "    │█"]


def test_a_missing_value_is_a_gap_and_not_the_smallest_value():
    _, top, bottom = drawn(Curve("share", [0.5, None, 1.0], ".1f", height=2))
    assert top == "1.0 │  █"
    assert bottom == "0.5 │▁ █"


def test_terminals_without_unicode_get_ascii():
    text = "".join(drawn(Curve("loss", [0.0, 0.3, 1.0], ".1f"), encoding="ascii"))
    assert text.isascii()
