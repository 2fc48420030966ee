"""Several ways of doing a thing, timed in turn, so that a noisy machine troubles all alike."""

import time
from statistics import median


def seconds(way):
    """Wall time of one run."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def print_seconds(title, ways, runs):
    """Run each way so often, and print the median and the extremes of its wall times."""
    times = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            times[name].append(seconds(way))
    width = max(map(len, (title, *ways)))
    print(f"{title:{width}} median    min    max")
    for name, values in times.items():
        print(f"{name:{width}} {median(values):6.3f} {min(values):6.3f} {max(values):6.3f}")
