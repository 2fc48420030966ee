"""Random CKA matrices with planted blocks."""

import numpy as np

# Decay of the background with the distance between layers, in units of its length.
DECAYS = (
    lambda d: np.exp(-d),
    lambda d: np.exp(-(d**2)),
    lambda d: 1 / (1 + d),
    lambda d: np.clip(1 - d / 3, 0, 1),
)


def draw(random, blocks=None, brightest=0.8):
    """One matrix of 39 to 576 layers, and the planted spans.

    0 to 3 blocks of 10 to 60 % of the layers, CKA 0.9 to 0.99 within, noise of 0.03, the checkerboard of residual
    networks, and a background that decays with distance from at most `brightest`.
    """
    layers = int(random.integers(39, 577))
    index = np.arange(layers)
    distance = abs(index[:, None] - index) / (layers * random.uniform(0.08, 0.5))
    floor, top = random.uniform(0, 0.3), random.uniform(0.4, brightest)
    matrix = floor + (top - floor) * DECAYS[random.integers(len(DECAYS))](distance)
    matrix += checkerboard(random, index)
    spans = lay_out(random, layers, int(random.integers(0, 4)) if blocks is None else blocks)
    for start, stop in spans:
        matrix[start:stop, start:stop] = random.uniform(0.9, 0.99)
    noise = np.triu(random.normal(0, 0.03, matrix.shape), 1)
    matrix = np.minimum(matrix + noise + noise.T, 1)
    np.fill_diagonal(matrix, 1)
    return matrix, spans


def checkerboard(random, index):
    """Lower similarity between outputs of residual blocks and layers inside blocks."""
    period = int(random.integers(3, 9))
    outputs = index % period == period - 1
    return np.where(np.equal.outer(outputs, outputs), 0, -random.uniform(0, 0.15))


def lay_out(random, layers, blocks):
    """Random disjoint spans, each of 10 to 60 % of the layers."""
    while True:
        lengths = np.ceil(random.uniform(0.1, 0.6, blocks) * layers).astype(int)
        if lengths.sum() <= layers:
            break
    gaps = random.multinomial(layers - lengths.sum(), np.full(blocks + 1, 1 / (blocks + 1)))
    starts = np.cumsum(gaps[:-1] + np.concatenate([[0], lengths[:-1]])[:blocks])
    return [(int(start), int(start + length)) for start, length in zip(starts, lengths, strict=True)]


def overlap(a, b):
    """Intersection over union of two spans."""
    common = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return common / (max(a[1], b[1]) - min(a[0], b[0])) if common else 0.0


def quality(found, spans):
    """Best overlap of each planted span, and the number of found spans that match no planted span."""
    best = [max((overlap(span, other) for other in found), default=0.0) for span in spans]
    invented = sum(all(overlap(span, other) < 0.5 for span in spans) for other in found)
    return best, invented
