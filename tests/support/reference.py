"""Independent float64 implementations of the formulas in the papers."""

import torch


def hsic_1(k, m):
    """Unbiased HSIC of two Gram matrices (Song et al. 2012)."""
    n = len(k)
    k, m = k - torch.diag(k.diagonal()), m - torch.diag(m.diagonal())
    one = torch.ones(n, dtype=k.dtype)
    trace = (k @ m).trace()
    sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    cross = 2 / (n - 2) * (one @ k @ m @ one)
    return (trace + sums - cross) / (n * (n - 3))


def minibatch_cka(batches):
    """Ratio of sums of HSIC_1 over minibatches, each weighted by n(n - 3), pair by pair."""
    count = len(batches[0])
    hsic = torch.zeros(count, count, dtype=torch.float64)
    for batch in batches:
        centred = [(layer - layer.mean(0)).flatten(1) for layer in batch]
        grams = [layer @ layer.T for layer in centred]
        n = len(batch[0])
        for i in range(count):
            for j in range(count):
                hsic[i, j] += n * (n - 3) * hsic_1(grams[i], grams[j])
    return hsic / (hsic.diagonal()[:, None] * hsic.diagonal()).sqrt()
