"""Run `zoo serve` in a process, as people do."""

import json
import os
import signal
import subprocess
import sys
import threading

import httpx

from tests.support.processes import until

BRIEF = {"layers": "blocks", "max_examples": 60, "baseline": "none"}
# Takes minutes; no service allows more passes.
LONG = {"layers": "blocks", "passes": 1000, "baseline": "none"}


class Serving:
    """A running service.

    Args:
        folder: working folder; the models are in `models` below it.
        arguments: arguments of `zoo serve`.
        environment: further environment variables.
    """

    def __init__(self, folder, *arguments, **environment):
        command = [sys.executable, "-c", "from cli.app import zoo; zoo()", "serve", "--port", "0", "--data", "data"]
        default = signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        signal.signal(signal.SIGINT, default)
        self.url = self.process.stdout.readline().strip()
        self.lines = []
        self._reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self._reader.start()
        self.client = httpx.Client(base_url=self.url, timeout=120)

    @property
    def events(self):
        """What the service and its workers have logged."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def ask(self, a, b, options=BRIEF):
        """Ask for a comparison on digits, and give its id."""
        asked = {"a": a, "b": b, "dataset": "digits", "options": options}
        answer = self.client.post("/api/comparisons", json=asked)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()["id"]

    def job(self, job_id):
        """A comparison as the API describes it."""
        return self.client.get(f"/api/comparisons/{job_id}").json()

    def wait(self, job_id, state="done"):
        """Wait until a comparison is in a state."""

        def is_there():
            job = self.job(job_id)
            assert job["state"] in ("queued", "running", state), job
            return job["state"] == state and job

        return until(is_there, 400)

    def wait_for_phase(self, job_id, phase="comparing"):
        """Wait until a comparison is in a phase."""
        return until(lambda: self.job(job_id)["phase"] == phase)

    def result(self, job_id):
        """The result of a comparison."""
        return self.client.get(f"/api/comparisons/{job_id}/result").json()

    def stop(self, number=signal.SIGINT):
        """Stop the service, and give its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        # Its workers write there too, until they end.
        self._reader.join()
        self.client.close()
        self.process.stdout.close()
        self.process.stderr.close()
        return code
