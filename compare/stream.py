"""What is summed and kept while minibatches pass through both models."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from compare.cka import MinibatchCKA
from compare.errors import CompareError
from compare.gram import MIN_EXAMPLES
from compare.layers import LayerGrams
from compare.principal import MinibatchPrincipal


class Predictions(NamedTuple):
    """Predicted class, its probability, and whether the logits are finite, per example."""

    classes: Tensor
    confidence: Tensor
    finite: Tensor


def _predictions(logits: Tensor) -> Predictions:
    logits = logits.cpu().double()
    finite = logits.isfinite().all(1)
    confidence, classes = torch.where(finite[:, None], logits.softmax(1), 0.0).max(1)
    return Predictions(classes, confidence, finite)


def joined(parts: list[Predictions]) -> Predictions:
    """The predictions of all minibatches in one."""
    return Predictions(*(torch.cat(column) for column in zip(*parts, strict=True)))


@dataclass
class Stream:
    """Sums over minibatches and predictions of the first pass.

    Args:
        class_names: names of the classes; their numbers if None.
    """

    class_names: Sequence[str] | None
    cka: MinibatchCKA = field(default_factory=MinibatchCKA)
    principal: MinibatchPrincipal = field(default_factory=MinibatchPrincipal)
    predicted_a: list[Predictions] = field(default_factory=list)
    predicted_b: list[Predictions] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)
    indices: list[Tensor] = field(default_factory=list)
    batch_size: int = 0
    too_short: int = 0
    finite: Tensor = field(default_factory=lambda: torch.tensor(True))

    @property
    def examples(self) -> int:
        """Examples of the first pass."""
        return sum(map(len, self.labels))

    def add(
        self,
        run_a: LayerGrams,
        run_b: LayerGrams,
        inputs: Tensor,
        labels: Tensor,
        indices: list[Tensor],
        first_pass: bool,
    ) -> None:
        """Run both models on one minibatch."""
        logits_a, grams_a = run_a.run(inputs)
        logits_b, grams_b = (logits_a, grams_a) if run_b is run_a else run_b.run(inputs)
        if first_pass:
            self._check_classes(logits_a, logits_b, labels)
            self.indices += indices or [torch.arange(self.examples, self.examples + len(labels))]
            self.labels.append(labels.cpu())
            self.predicted_a.append(_predictions(logits_a))
            self.predicted_b.append(_predictions(logits_b))
        if len(inputs) < MIN_EXAMPLES:
            self.too_short += len(inputs) if first_pass else 0
            return
        grams = torch.cat([grams_a, grams_b.to(grams_a.device)])
        self.batch_size = max(self.batch_size, len(inputs))
        self.finite = self.finite & grams.diagonal(dim1=1, dim2=2).sum(1).isfinite().cpu()
        self.cka.update_grams(grams)
        if first_pass:
            self.principal.update(grams)

    def _check_classes(self, logits_a: Tensor, logits_b: Tensor, labels: Tensor) -> None:
        classes = logits_a.shape[1]
        if logits_b.shape[1] != classes:
            raise CompareError(
                f"both models must have the same classes, got {classes} logits from a "
                f"and {logits_b.shape[1]} from b; compare models of one data set."
            )
        self.class_names = self.class_names or [str(i) for i in range(classes)]
        needed = max(len(self.class_names), int(labels.max()) + 1)
        if needed != classes:
            raise CompareError(
                f"the models give {classes} logits, but the data has {needed} classes; "
                "compare models on data of the classes they were trained for."
            )
