"""Kill the parts of a service at random moments: no comparison may be lost, done twice, or get another result.

    python -m tests.benchmarks.service_kills [KILLS]

Two workers always have questions to answer. KILLS times (default 30), SIGKILL ends the server, a worker, the process of
a comparison, or the PostgreSQL server. Server and database start again. In the end, every comparison must be done.
Once it is done, neither its time nor its files may change. Some are compared with `zoo compare`.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.support.hub.local_hub import LocalHub
from tests.support.postgres import Server
from tests.support.processes import runs_at, until
from tests.support.serving import BRIEF, Serving

TARGETS = ("server", "worker", "comparison", "database")
# Questions that are asked but not answered, at any time.
WAITING = 3
# Comparisons that `zoo compare` repeats in the end.
REPEATED = 5
ZOO = [sys.executable, "-c", "from cli.app import zoo; zoo()"]


class Chaos:
    """A service, and what is known of the comparisons that were asked for."""

    def __init__(self, folder, database):
        self.folder, self.database = folder, database
        self.url = database.create()
        self.seeds, self.done, self.errors, self.most_open = {}, {}, Counter(), WAITING
        self.start()

    def start(self):
        """Start the server."""
        self.service = Serving(self.folder, "--database", self.url, "--workers", "2")

    def workers(self):
        """Process ids of the workers."""
        table = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True).stdout
        rows = (line.split(maxsplit=2) for line in table.splitlines())
        return [
            int(pid)
            for pid, parent, command in rows
            if int(parent) == self.service.process.pid and "worker_process" in command
        ]

    def kill(self, target):
        """Kill a part of the service; False if there is none at the moment."""
        if target == "database":
            self.database.kill()
            time.sleep(random.uniform(0, 3))
            self.database.start()
        elif target == "server":
            self.service.stop(signal.SIGKILL)
            self.start()
        else:
            pids = self.workers() if target == "worker" else list(runs_at(self.folder / "data"))
            if not pids:
                return False
            os.kill(random.choice(pids), signal.SIGKILL)
        return True

    def look(self):
        """Ask new questions, and look at the ones that are not answered yet."""
        try:
            for job in [job for job in self.seeds if job not in self.done]:
                state = self.service.job(job)
                if state["state"] == "done":
                    self.done[job] = self.trace(job)
                elif state["state"] == "failed":
                    self.errors[state["error"]] += 1
                    self.service.client.post(f"/api/comparisons/{job}/retry")
            while len(self.seeds) - len(self.done) < self.most_open:
                seed = len(self.seeds)
                self.seeds[self.service.ask("a", "b", {**BRIEF, "seed": seed})] = seed
        except (httpx.HTTPError, AssertionError, KeyError):
            # The database or the server is away.
            time.sleep(0.2)

    def trace(self, job):
        """When a comparison was done, and its files."""
        folder = self.folder / "data" / "reports" / job
        files = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
        return self.service.job(job)["finished"], files

    def wait(self, seconds):
        """Look at the comparisons for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(0.2)

    def result(self, job):
        """What matters in the result of a comparison, and the same from the command line."""
        options = ("--layers", "blocks", "--max-examples", "60", "--baseline", "none", "--seed", str(self.seeds[job]))
        command = [*ZOO, "compare", "models/a", "models/b", "--no-cache", *options, "--json", "-"]
        shown = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout
        return [(found["cka"], found["disagreement"]) for found in (self.service.result(job), json.loads(shown))]


def main():
    """Print how often each part was killed, and what became of the comparisons."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    random.seed(0)
    os.environ |= {"HF_ENDPOINT": LocalHub().start().url, "OMP_NUM_THREADS": "1"}
    database = Server().start()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        for name, depth in (("a", "8"), ("b", "14")):
            small = ("--depth", depth, "--width", "0.5", "--epochs", "2", "--out", f"models/{name}", "--quiet")
            subprocess.run([*ZOO, "train", *small], cwd=folder, check=True)
        chaos, count, start = Chaos(folder, database), Counter(), time.monotonic()
        while count.total() < kills:
            chaos.wait(random.uniform(0.5, 8))
            target = TARGETS[count.total() % len(TARGETS)]
            count[target] += chaos.kill(target)
        seconds = time.monotonic() - start
        chaos.most_open = 0
        until(lambda: chaos.look() or len(chaos.done) == len(chaos.seeds), 600)
        changed = [job for job, seen in chaos.done.items() if chaos.trace(job) != seen]
        pairs = [chaos.result(job) for job in random.sample(list(chaos.done), min(REPEATED, len(chaos.done)))]
        chaos.service.stop()
    database.remove()
    print(f"killed in {seconds:.0f} s: {', '.join(f'{name} {number}' for name, number in count.items())}")
    print(f"{len(chaos.seeds)} comparisons, {len(chaos.done)} done, {len(changed)} changed afterwards")
    print(f"{sum(mine == theirs for mine, theirs in pairs)} of {len(pairs)} equal to those of zoo compare")
    print(f"failed and tried again: {dict(chaos.errors) or 'none'}")


if __name__ == "__main__":
    main()
