"""Draw thumbnails with true-colour half blocks, in terminals that support them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from cli.terminal.heatmap import has_colours

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cards.pictures.inspection import Image

# Cells on the longer side of a thumbnail, and between two thumbnails.
SIDE, GAP = 16, 2


class Thumbnails:
    """Thumbnails side by side, as many as fit. Consoles without colours show nothing.

    Args:
        images: images by caption; captions are cut to the width of a thumbnail.
    """

    def __init__(self, images: "Mapping[str, Image]") -> None:
        self._images = images

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not has_colours(console) or not self._images:
            return
        # Only terminals with colours need it, and its import takes a quarter of the time of a cached result.
        import numpy as np

        fitting = list(self._images.items())[: max(1, options.max_width // (SIDE + GAP))]
        small = [_shrink(np.array(image, dtype=np.float64)) for _, image in fitting]
        yield Segment("".join(f"{caption[:SIDE]:{SIDE + GAP}}" for caption, _ in fitting).rstrip())
        yield Segment.line()
        for row in range(0, max(map(len, small)), 2):
            for cells in small:
                yield from _line(cells, row)
            yield Segment.line()


def _shrink(image: "npt.NDArray[np.float64]") -> "npt.NDArray[np.uint8]":
    """Average an image to at most SIDE cells per side, with an even number of rows: shape (height, width, 3)."""
    import numpy as np

    height, width = image.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    rows, columns = (_starts(side, max(1, round(side * scale))) for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(image, rows, 0), columns, 1)
    counts = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    small = sums / counts[:, :, None]
    colours = small if small.shape[2] == 3 else np.repeat(small[:, :, :1], 3, 2)
    return np.pad(colours, ((0, len(colours) % 2), (0, 0), (0, 0))).round().astype(np.uint8)


def _starts(side: int, cells: int) -> list[int]:
    return [cell * side // cells for cell in range(cells)]


def _line(cells: "npt.NDArray[np.uint8]", row: int) -> Sequence[Segment]:
    """Two rows of one thumbnail, padded to its width."""
    if row >= len(cells):
        return [Segment(" " * (SIDE + GAP))]
    pairs = zip(cells[row], cells[row + 1], strict=True)
    blocks = [
        Segment("▀", Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))) for upper, lower in pairs
    ]
    return [*blocks, Segment(" " * (SIDE + GAP - len(blocks)))]
