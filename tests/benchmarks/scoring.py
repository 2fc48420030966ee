"""Disagreement statistics at scale: `python -m tests.benchmarks.scoring [EXAMPLES] [CLASSES]`.

By default a million images of a thousand classes. Logits of two models come in minibatches of 10,000 and are drawn
once, so that only the statistics are measured: predictions, confidence, divergence, the ensemble, and every class and
confusion. Prints seconds and peak memory.
"""

import resource
import sys
import time

import torch

from compare.answers.answers import Answers
from compare.answers.find import find_disagreement

BATCH = 10_000


def main():
    """Print one line."""
    examples, classes = (int(text) for text in (sys.argv[1:] + ["1000000", "1000"][len(sys.argv) - 1 :]))
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, classes, (BATCH,), generator=generator)
    pair = [torch.randn(BATCH, classes, generator=generator) for _ in range(2)]
    for logits in pair:
        logits[torch.arange(BATCH), labels] += 3
    answers = Answers([str(i) for i in range(classes)])
    answers.begin([classes, classes])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    for first in range(0, examples, BATCH):
        answers.add(pair, labels, torch.arange(first, first + BATCH))
    answers.end_pass()
    middle = time.perf_counter()
    found = find_disagreement(answers)
    stop = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{examples:,} examples, {classes:,} classes: {stop - start:.1f} s, of which {middle - start:.1f} s per "
        f"minibatch; peak {peak / 2**20:.2f} GiB, {before / 2**20:.2f} GiB before; agreement {found.agreement:.3f}"
    )


if __name__ == "__main__":
    main()
