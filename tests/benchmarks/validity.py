"""Error rates and coverage of the disagreement statistics: `python -m tests.benchmarks.validity [DRAWS]`.

Two simulated classifiers (tests/support/simulate.py). At equal accuracy: the share of draws in which a test finds a
difference at 5 % (exact tests stay below), and the share of 95 % intervals that contain the true value. Then the power
for planted differences. The standard error of a share is at most 0.5 / sqrt(DRAWS), and at 0.95 0.22 / sqrt(DRAWS).
"""

import sys

from tests.support.simulate import validity

CASES = (
    ((0.6, 0.6), 200, 0.8),
    ((0.8, 0.8), 400, 0.5),
    ((0.9, 0.9), 1000, 0.5),
    ((0.97, 0.97), 2000, 0.5),
    ((0.8, 0.77), 1000, 0.5),
    ((0.8, 0.75), 1000, 0.5),
    ((0.8, 0.7), 1000, 0.5),
)


def main():
    """Print one column per case."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    columns = [validity(draws, accuracies=accuracies, n=n, shared=shared) for accuracies, n, shared in CASES]
    for label, cells in (
        ("accuracy of a", [f"{a:.2f}" for (a, _), _, _ in CASES]),
        ("accuracy of b", [f"{b:.2f}" for (_, b), _, _ in CASES]),
        ("examples, in 10 classes", [str(n) for _, n, _ in CASES]),
        ("of these equally hard", [f"{shared:.0%}" for _, _, shared in CASES]),
        *((name, [f"{column[name]:.3f}" for column in columns]) for name in columns[0]),
    ):
        print(f"{label:24}" + "".join(f"{cell:>9}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
