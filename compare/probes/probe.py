"""One linear probe. Its passes over the features are: measure, sketch, learn (several times), test."""

from collections.abc import Sequence

import torch
from torch import Tensor

from compare.probes.softmax import SoftmaxFits
from compare.probes.standard import Sketch, Standard


class Probe:
    """Softmax regressions on the features of one point.

    For each regularisation strength there are two fits: one without the held-out examples, to choose the strength, and
    one with them.

    Args:
        classes: number of classes.
        log10_strengths: base-10 logarithms of the candidate regularisation strengths.
        seed: random seed of the sketch.
    """

    def __init__(self, classes: int, log10_strengths: Sequence[int], seed: int) -> None:
        self.reason: str | None = None
        self.right = 0
        self._classes = classes
        self._log10_strengths = log10_strengths
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._standard = Standard()
        self._sketch: Sketch
        self._fits: SoftmaxFits

    @property
    def features(self) -> int:
        """Number of features."""
        return self._standard.features

    def measure(self, x: Tensor, labels: Tensor, held_out: Tensor) -> None:
        """First pass: accumulate mean and variance of the features."""
        self._standard.add(x)

    def end_measure(self) -> None:
        """End the first pass. Sets `reason` if these features cannot be probed."""
        self.reason = self._standard.finish()
        self._sketch = Sketch(self.features, self._generator)

    def sketch(self, x: Tensor, labels: Tensor, held_out: Tensor) -> None:
        """Second pass: accumulate the sketch of the covariance."""
        self._sketch.add(self._standard.rows(x))

    def end_sketch(self) -> None:
        """End the second pass and prepare the fits."""
        strengths = 10.0 ** torch.tensor(self._log10_strengths, dtype=torch.float32, device="cpu")
        self._fits = SoftmaxFits(strengths.repeat(2), self._classes, self._sketch.components())
        del self._sketch

    def learn(self, x: Tensor, labels: Tensor, held_out: Tensor) -> None:
        """Training passes: accumulate losses and gradients."""
        used = ~held_out.to(x.device)[:, None].expand(-1, len(self._log10_strengths))
        self._fits.add(self._standard.rows(x), labels.to(x.device), torch.cat([used, torch.ones_like(used)], 1))

    def end_learn(self) -> None:
        """End a training pass with one optimisation step."""
        self._fits.step()

    def test(self, x: Tensor, labels: Tensor, held_out: Tensor) -> None:
        """Test pass: count correct predictions in `right`."""
        weights = self._fits.weights[len(self._log10_strengths) + self._chosen]
        self.right += count_right(self._standard.rows(x) @ weights.T, labels)

    @property
    def log10_strength(self) -> int:
        """Base-10 logarithm of the strength with the lowest cross-entropy on the held-out examples."""
        return self._log10_strengths[self._chosen]

    @property
    def _chosen(self) -> int:
        return int(self._fits.held_out[: len(self._log10_strengths)].argmin())


def count_right(logits: Tensor, labels: Tensor) -> int:
    """Number of correct predictions. Examples with logits that are not finite count as wrong."""
    right = (logits.argmax(1) == labels.to(logits.device)) & logits.isfinite().all(1)
    return int(right.sum())
