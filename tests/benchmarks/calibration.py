"""Detection of blocks by threshold and contrast: `python -m tests.benchmarks.calibration [DRAWS]`.

DRAWS planted matrices (tests/support/planted.py) with 0 to 3 blocks, and as many without blocks. Prints the mean
intersection over union, missed blocks (overlap below one half), and invented spans, for two levels of background. The
brighter background comes close to the blocks. The default row uses the constants of `compare.structure.spans`.
"""

import sys
import time

import numpy as np

from compare.structure import spans as block_structure
from tests.support.planted import draw, quality


def measure(threshold, contrast, brightest, draws):
    """Mean overlap, missed blocks, and invented spans in matrices with and without blocks."""
    block_structure.CONTRAST = contrast
    random, overlaps, invented = np.random.default_rng(0), [], [0, 0]
    for free in (False, True):
        for _ in range(draws):
            matrix, spans = draw(random, 0 if free else None, brightest)
            found = block_structure.find_block_structure(matrix, threshold=threshold)
            best, more = quality([(span.start, span.stop) for span in found], spans)
            overlaps += best
            invented[free] += more
    return np.mean(overlaps), sum(value < 0.5 for value in overlaps), *invented


def main():
    """Print one line per background, threshold, and contrast."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    defaults = block_structure.THRESHOLD, block_structure.CONTRAST
    print("background  threshold  contrast    IoU  missed  invented beside blocks  without any")
    for brightest in (0.8, 0.95):
        for threshold in (0.75, 0.8, 0.83, 0.85, 0.87, 0.9):
            for contrast in (-1.0, 0.02, 0.05, 0.1):
                mean, *counts = measure(threshold, contrast, brightest, draws)
                mark = "  default" if (threshold, contrast) == defaults else ""
                numbers = "{:8d}{:24d}{:13d}".format(*counts)
                print(f"to {brightest:<7g}{threshold:11.2f}{contrast:10.2f}{mean:7.3f}{numbers}{mark}", flush=True)
    matrix, _ = draw(np.random.default_rng(0), 3)
    matrix = np.kron(matrix, np.ones((15, 15)))[:576, :576]
    start = time.perf_counter()
    block_structure.find_block_structure(matrix)
    print(f"576 layers take {time.perf_counter() - start:.3f} s")


if __name__ == "__main__":
    main()
