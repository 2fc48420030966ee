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


def lay_out(random, layers, blocks, shortest=0.1):
    """Random disjoint spans, each of at least `shortest` (a share) and at most 60 % of the layers."""
    while True:
        lengths = np.ceil(random.uniform(shortest, 0.6, blocks) * layers).astype(int)
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


def draw_features(random, blocks=None, branch=0.35, residual_blocks=19, channels=12, examples=128):
    """CKA, PC1 fractions, and names of the layers of a residual network, and the planted spans.

    Layers have slowly rotating Gaussian features, whose correlation decays with depth. Within each of 0 to 2 spans of
    residual blocks they also have one heavy-tailed score vector. It holds 0.8 of the variance of the additions and the
    outputs of residual blocks. In the layers of the branches its amplitude is lower by the factor `branch`.
    """
    names = ["stem", *(f"stage1.{block}.{part}" for block in range(residual_blocks) for part in PARTS), "head"]
    shortest = 4 / residual_blocks
    spans = lay_out(random, residual_blocks, int(random.integers(0, 3)) if blocks is None else blocks, shortest)
    spans = [(1 + len(PARTS) * start, 1 + len(PARTS) * stop) for start, stop in spans]
    correlation = 1 - random.uniform(0.5, 3) / len(names)
    features = random.normal(size=(len(names), examples, channels))
    for before, here in zip(features, features[1:], strict=False):
        here *= np.sqrt(1 - correlation**2)
        here += correlation * before
    for start, stop in spans:
        scores, direction = random.standard_t(3, (examples, 1)), random.normal(size=channels)
        shared = scores * direction
        shared *= np.sqrt(0.8 / 0.2 * features.var() / shared.var())
        for layer in range(start, stop):
            features[layer] += shared * (1 if layer % len(PARTS) in (0, len(PARTS) - 1) else branch)
    return similarity(features), np.array([pc1_fraction(layer) for layer in features]), names, spans


# Layers of a residual block. With one layer before the first block, layers l with l % 7 in (0, 6) are outputs and
# additions.
PARTS = ("conv1", "bn1", "relu1", "conv2", "bn2", "add", "relu2")


def pc1_fraction(features):
    """Fraction of the variance on the first principal component."""
    squares = np.linalg.svd(features - features.mean(0), compute_uv=False) ** 2
    return squares[0] / squares.sum()


def similarity(layers):
    """CKA of all pairs of layers with HSIC_1, from all examples at once."""
    grams = layers @ layers.swapaxes(1, 2)
    n, diagonal = layers.shape[1], np.arange(layers.shape[1])
    grams[:, diagonal, diagonal] = 0
    rows = grams.sum(1)
    grams -= (rows[:, :, None] + rows[:, None]) / (n - 2)
    grams += rows.sum(1)[:, None, None] / ((n - 1) * (n - 2))
    grams[:, diagonal, diagonal] = 0
    vectors = grams.reshape(len(grams), -1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors @ vectors.T
