"""Only the predictions of several models: each runs once on each minibatch, and nothing else is computed."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from compare.answers import Answers, checked_batch
from compare.errors import CompareError
from compare.layers import LayerGrams


def predict(models: Sequence[nn.Module], batches: Iterable[Any], answers: Answers) -> None:
    """Run every model once on every minibatch.

    Args:
        models: any modules that take one tensor and return logits, shape (n, classes).
        batches: an iterable of (inputs, labels) or (inputs, labels, indices).
        answers: where the predictions are collected.

    Raises:
        CompareError: no example, or models or examples that do not belong together.
    """
    begun = False
    with ExitStack() as stack, torch.inference_mode(False), torch.no_grad():
        runs = [stack.enter_context(LayerGrams(model, "all")) for model in models]
        for batch in batches:
            inputs, labels, indices = checked_batch(batch)
            if not len(inputs):
                continue
            if not begun:
                answers.begin([run.find(inputs).shape[1] for run in runs])
                begun = True
            answers.add([run.run(inputs, None) for run in runs], labels, indices)
    if not begun:
        raise CompareError("expected at least one example, got none.")
    answers.end_pass()
