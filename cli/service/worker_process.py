"""`python -m cli.service.worker_process` is one worker. It reads its settings, a line of JSON, from standard input.

It ends when its standard input is closed, so it does not outlive a server that is killed.
"""

import os
import platform
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING

from cli.jobs.processes import GRACE, end_with_parent
from cli.service.settings import Settings
from zoo.errors import ZooError

if TYPE_CHECKING:
    from cli.service.store.records import Job


def main() -> None:
    """Work until the server ends, or until SIGTERM. Jobs that are not done go back into the queue."""
    signal.signal(signal.SIGTERM, _interrupt)
    settings = Settings.from_json(_first_line())
    # Longer than a job that it stops may take to end.
    end_with_parent(2 * GRACE)
    try:
        _work(settings)
    except KeyboardInterrupt:
        pass
    except ZooError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)


def _work(settings: Settings) -> None:
    from logging.config import dictConfig

    from cli.service.hub.checks import report_check
    from cli.service.logs import log_config, logger
    from cli.service.store.database import open_database
    from cli.service.work.worker import Worker

    dictConfig(log_config(()))
    database = open_database(settings.database_url)

    def report(job: "Job") -> None:
        try:
            report_check(job, settings, database)
        except Exception:
            # The answer is stored, whether or not the Hub takes the comment.
            logger.exception("report")

    cores = os.cpu_count() or 1
    # One core is for the web server.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (cores - 1) // settings.workers)))
    name = f"{platform.node()}-{os.getpid()}-{time.time_ns()}"
    Worker(settings, database, name, report).work()


def _interrupt(number: int, frame: FrameType | None) -> None:
    # A second signal must not interrupt what the first one makes a worker do.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _first_line() -> bytes:
    # Not through sys.stdin, whose buffer and lock would come between.
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line


if __name__ == "__main__":
    main()
