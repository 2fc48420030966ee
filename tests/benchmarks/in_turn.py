"""Time alternatives in turn, so that noise of the machine affects all of them equally."""

import time
from statistics import median


def seconds(way):
    """Wall time of one call, in seconds."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def print_seconds(title, ways, runs):
    """Run each alternative `runs` times in turn, and print the median, minimum, and maximum wall time."""
    times = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            times[name].append(seconds(way))
    width = max(map(len, (title, *ways)))
    print(f"{title:{width}} median    min    max")
    for name, values in times.items():
        print(f"{name:{width}} {median(values):6.3f} {min(values):6.3f} {max(values):6.3f}")
