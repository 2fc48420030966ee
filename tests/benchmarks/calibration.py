"""Detection of blocks in planted matrices and networks: `python -m tests.benchmarks.calibration [DRAWS]`.

The first table has one row per minimum length of a span of block outputs. DRAWS networks of 19 residual blocks
(tests/support/planted.py) have 0 to 2 planted spans of at least 4 residual blocks, and as many networks have none. The
shared component holds a share of its amplitude in the layers of the branches. Prints the mean intersection over union,
missed spans (overlap below one half), and invented spans (of these, called block structure), for spans of all layers
and for spans of block outputs.

The second table has one row per threshold and contrast. DRAWS planted matrices have 0 to 3 blocks, and as many have no
blocks. Prints the same for two levels of background. The brighter background comes close to the blocks. The default
rows use the constants of `compare.structure.spans`.
"""

import sys
import time

import numpy as np

from compare.structure import contrast as borders
from compare.structure import spans as block_structure
from tests.support.planted import draw, draw_features, quality

BRANCHES = (1.0, 0.35, 0.2)
HEADINGS = "IoU  missed  invented beside blocks  without any"


def measure(threshold, contrast, brightest, draws):
    """Mean overlap, missed blocks, and invented spans in matrices with and without blocks."""
    borders.CONTRAST = contrast
    random, overlaps, invented = np.random.default_rng(0), [], [0, 0]
    for free in (False, True):
        for _ in range(draws):
            matrix, spans = draw(random, 0 if free else None, brightest)
            found = block_structure.find_block_structure(matrix, threshold=threshold)
            best, more = quality([(span.start, span.stop) for span in found], spans)
            overlaps += best
            invented[free] += more
    return np.mean(overlaps), sum(value < 0.5 for value in overlaps), *invented


def found_in(networks, layers):
    """Mean overlap, missed spans, and the kinds of invented spans, by the layers on which spans are found."""
    overlaps, invented = [], []
    for cka, fraction, names, spans in networks:
        found = block_structure.find_block_structure(cka, fraction, layers=names)
        found = [span for span in found if span.layers == layers]
        overlaps += quality([(span.start, span.stop) for span in found], spans)[0]
        invented += [span.kind for span in found if quality([(span.start, span.stop)], spans)[1]]
    return np.mean(overlaps or [1]), sum(value < 0.5 for value in overlaps), invented


def alternation(draws):
    """Print one line per share of amplitude in branches, for all layers and for each minimum number of outputs."""
    default = block_structure.FEWEST_OUTPUTS
    print(f"amplitude in branches  spans of               {HEADINGS}")
    none = [draw_features(np.random.default_rng(seed), 0) for seed in range(draws)]
    for branch in BRANCHES:
        networks = [draw_features(np.random.default_rng(seed), None, branch) for seed in range(draws)]
        for layers, fewest in (("all", default), *(("blocks", fewest) for fewest in (3, 4, 5))):
            block_structure.FEWEST_OUTPUTS = fewest
            mean, missed, beside = found_in(networks, layers)
            kind = "all layers" if layers == "all" else f"{fewest} outputs or more"
            mark = "  default" if (layers, fewest) == ("blocks", default) else ""
            invented = [
                f"{len(kinds)} ({kinds.count('block structure')})" for kinds in (beside, found_in(none, layers)[2])
            ]
            numbers = "{:6.3f}{:8d}{:>24}{:>13}".format(mean, missed, *invented)
            print(f"{branch:21.2f}  {kind:20}{numbers}{mark}", flush=True)
    block_structure.FEWEST_OUTPUTS = default


def main():
    """Print both tables, and how long it takes to find blocks."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    defaults = block_structure.THRESHOLD, borders.CONTRAST
    alternation(draws)
    print(f"\nbackground  threshold  contrast    {HEADINGS}")
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
