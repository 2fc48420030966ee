"""Many people at once, while a comparison runs: `python -m tests.benchmarks.service_load [SECONDS]`.

200 clients read every two seconds, 20 users ask a question every two seconds, for SECONDS (default 120). Each user has
eight questions, of other seeds than those of the others, and asks them again and again. The server, its worker, a
comparison, and the clients share this machine, which should have nothing else to do.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles

import httpx

from tests.support.hub.local_hub import LocalHub
from tests.support.serving import BRIEF, Serving

READERS, USERS, QUESTIONS, PAUSE = 200, 20, 8, 2
READS = {
    "state of a comparison": "/api/comparisons/{job}",
    "list of comparisons": "/api/comparisons?limit=20",
    "search": "/api/comparisons?q=b+digits&state=queued",
    "page of a comparison": "/comparisons/{job}",
}
# More than it takes to measure.
LONG = {"layers": "all", "passes": 1000, "baseline": "none"}
SUBMISSION = "submission"
ZOO = [sys.executable, "-c", "from cli.app import zoo; zoo()"]


class Load:
    """Requests to a service, with their times in seconds.

    Args:
        url: address of the service.
        job: the comparison that runs.
        end: when to stop, as in `time.monotonic`.
    """

    def __init__(self, url, job, end):
        # A client per user, since a shared one looks at all of its connections for every request.
        self.clients = [httpx.AsyncClient(base_url=url, timeout=60, verify=False) for _ in range(READERS + USERS)]
        self.job, self.end = job, end
        self.times, self.errors = {name: [] for name in (*READS, SUBMISSION)}, Counter()

    async def request(self, client, name, method, path, user, **content):
        """Make one request and wait until the next one is due."""
        start = time.monotonic()
        try:
            answer = await client.request(method, path, headers={"Authorization": f"Bearer {user}"}, **content)
            if answer.status_code not in (200, 202):
                self.errors[f"{name}: {answer.status_code} {answer.text[:100]}"] += 1
        except httpx.HTTPError as error:
            self.errors[f"{name}: {type(error).__name__}"] += 1
        self.times[name].append(time.monotonic() - start)
        await asyncio.sleep(start + PAUSE - time.monotonic())

    async def read(self, client, number):
        """Read one thing after another. A quarter of the clients begins with each."""
        await asyncio.sleep(random.uniform(0, PAUSE))
        reads = list(READS.items())
        first = number % len(reads)
        while time.monotonic() < self.end:
            for name, path in reads[first:] + reads[:first]:
                await self.request(client, name, "GET", path.format(job=self.job), f"token{number % USERS}")

    async def submit(self, client, number):
        """Ask the questions of a user."""
        await asyncio.sleep(random.uniform(0, PAUSE))
        while time.monotonic() < self.end:
            for seed in range(QUESTIONS * number, QUESTIONS * (number + 1)):
                asked = {"a": "a", "b": "b", "dataset": "digits", "options": {**BRIEF, "seed": seed}}
                await self.request(client, SUBMISSION, "POST", "/api/comparisons", f"token{number}", json=asked)

    async def run(self):
        """Run all clients until the end."""
        readers, users = self.clients[:READERS], self.clients[READERS:]
        work = [*map(self.read, readers, range(READERS)), *map(self.submit, users, range(USERS))]
        await asyncio.gather(*work)
        await asyncio.gather(*(client.aclose() for client in self.clients))


def show(load):
    """Print a table of times, and the errors."""
    print(f"{'milliseconds':24} requests   p50   p95   max")
    reads = [value for name in READS for value in load.times[name]]
    for name, times in {**load.times, "all reads": reads}.items():
        places = quantiles(times, n=20)
        print(f"{name:24} {len(times):8}" + "".join(f" {1000 * t:5.0f}" for t in (places[9], places[18], max(times))))
    print(f"errors: {dict(load.errors) or 'none'}")


def main(seconds=120):
    """Print how long requests take."""
    os.environ |= {"HF_ENDPOINT": LocalHub().start().url, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        for name, depth in (("a", "8"), ("b", "14")):
            small = ("--depth", depth, "--width", "0.5", "--epochs", "2", "--out", f"models/{name}", "--quiet")
            subprocess.run([*ZOO, "train", *small], cwd=folder, check=True)
        (folder / "tokens").write_text("".join(f"user{number} token{number}\n" for number in range(USERS)))
        service = Serving(folder, "--token-file", "tokens")
        service.client.headers["Authorization"] = "Bearer token0"
        job = service.ask("a", "b", LONG)
        service.wait_for_phase(job)
        load = Load(service.url, job, time.monotonic() + seconds)
        asyncio.run(load.run())
        show(load)
        total = service.client.get("/api/comparisons").json()["total"]
        print(f"{total} comparisons; the first one is {service.job(job)['state']}")
        service.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
