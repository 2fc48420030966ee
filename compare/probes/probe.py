"""One linear probe: passes over the features of one point, in the order measure, sketch, learn (several), test."""

from collections.abc import Sequence

import torch
from torch import Tensor

from compare.probes.softmax import SoftmaxFits
from compare.probes.standard import Sketch, Standard


class Probe:
    """Softmax regressions on one point's features: of each strength one without the held-out examples, and one with.

    Args:
        classes: how many.
        log10_strengths: of regularisation, to choose from.
        seed: of the sketch.
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
        """Numbers per example that it reads."""
        return self._standard.features

    def measure(self, x: Tensor, labels: Tensor, held_out: Tensor) -> None:
        """First pass: mean and spread."""
        self._standard.add(x)

    def end_measure(self) -> None:
        """Afterwards there is a `reason` if no probe can read these features."""
        self.reason = self._standard.finish()
        self._sketch = Sketch(self.features, self._generator)

    def sketch(self, x: Tensor, labels: Tensor, held_out: Tensor) -> None:
        """Second pass: components."""
        self._sketch.add(self._standard.rows(x))

    def end_sketch(self) -> None:
        """Afterwards it can learn."""
        strengths = 10.0 ** torch.tensor(self._log10_strengths, dtype=torch.float32, device="cpu")
        self._fits = SoftmaxFits(strengths.repeat(2), self._classes, self._sketch.components())
        del self._sketch

    def learn(self, x: Tensor, labels: Tensor, held_out: Tensor) -> None:
        """All further passes over the training examples."""
        kept = ~held_out.to(x.device)[:, None].expand(-1, len(self._log10_strengths))
        self._fits.add(self._standard.rows(x), labels.to(x.device), torch.cat([kept, torch.ones_like(kept)], 1))

    def end_learn(self) -> None:
        """After each of them."""
        self._fits.step()

    def test(self, x: Tensor, labels: Tensor, held_out: Tensor) -> None:
        """The pass over the test examples, which counts those that are `right`."""
        weights = self._fits.weights[len(self._log10_strengths) + self._chosen]
        self.right += count_right(self._standard.rows(x) @ weights.T, labels)

    @property
    def log10_strength(self) -> int:
        """The strength with the least cross-entropy on the held-out examples."""
        return self._log10_strengths[self._chosen]

    @property
    def _chosen(self) -> int:
        return int(self._fits.held_out[: len(self._log10_strengths)].argmin())


def count_right(logits: Tensor, labels: Tensor) -> int:
    """How many examples are predicted right; those whose logits are not finite are not."""
    right = (logits.argmax(1) == labels.to(logits.device)) & logits.isfinite().all(1)
    return int(right.sum())
