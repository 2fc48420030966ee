"""A model with known features for linear probes, and the exact optimum of the loss of a probe."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from compare.probes.points import reading
from compare.probes.probes import EPOCHS, fit_probes
from compare.probes.softmax import SoftmaxFits
from compare.probes.standard import Sketch, Standard


class Add(nn.Module):
    def forward(self, residual, shortcut):
        return residual + shortcut


class Net(nn.Module):
    """Adds its input to a branch, so that a test can choose the features before and after the addition."""

    def __init__(self, features=6, classes=3):
        super().__init__()
        self.branch = nn.Linear(features, features)
        self.dropout = nn.Dropout(0.5)
        self.add = Add()
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(features, classes)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(0))

    def forward(self, x):
        return self.head(self.relu(self.add(self.dropout(self.branch(x)), x)))


def clusters(n, seed, spread=0.3, features=6, classes=3):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (n,), generator=generator)
    return 3 * torch.eye(features)[labels] + spread * torch.randn(n, features, generator=generator), labels


def batches(x, labels, size=32):
    return list(zip(x.split(size), labels.split(size), strict=True))


def probe_clusters(model=None, **options):
    options = {"classes": 3, "epochs": 10} | options
    return fit_probes(model or Net(), batches(*clusters(90, 0)), batches(*clusters(60, 1)), **options)


def image_batches(data, size=120):
    return batches(data.images / 255, data.labels, size)


def features_of(model, point, data):
    found = []
    with reading(model, [point]) as reader:
        for x, _ in image_batches(data):
            reader.run(x, lambda _, features: found.append(features))
    return torch.cat(found)


def fitted(x, labels, classes, strengths, epochs=EPOCHS):
    """Standardised features, and probes fitted on all examples."""
    standard, sketch = Standard(), Sketch(x.shape[1], torch.Generator().manual_seed(0))
    standard.add(x)
    assert standard.finish() is None
    rows = standard.rows(x)
    sketch.add(rows)
    fits = SoftmaxFits(torch.tensor(strengths), classes, sketch.components())
    for _ in range(epochs):
        fits.add(rows, labels, torch.ones(len(x), len(strengths), dtype=torch.bool))
        fits.step()
    return standard, rows, fits


def optimum(rows, labels, strength):
    """The solution of scikit-learn for the same loss, and the loss there."""
    x, y = rows[:, :-1].double().numpy(), labels.numpy()
    solution = LogisticRegression(C=1 / (strength * len(y)), max_iter=10_000, tol=1e-7).fit(x, y)
    logs = solution.predict_log_proba(x)[np.arange(len(y)), y]
    return solution, -logs.mean() + strength / 2 * (solution.coef_**2).sum()
