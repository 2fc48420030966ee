"""`python -m cli.service.worker_process` is one worker. It reads its settings, a line of JSON, from standard input.

It ends when its standard input is closed, so it does not outlive a server that is killed.
"""

import os
import signal
import sys
import threading
import time
from types import FrameType

from cli.jobs.processes import GRACE
from cli.service.settings import Settings
from zoo.errors import ZooError


def main() -> None:
    """Work until the server ends, or until SIGTERM. Jobs that are not done go back into the queue."""
    signal.signal(signal.SIGTERM, _interrupt)
    settings = Settings.from_json(_first_line())
    threading.Thread(target=_exit_when_input_closes, daemon=True).start()
    try:
        _work(settings)
    except KeyboardInterrupt:
        pass
    except ZooError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)


def _work(settings: Settings) -> None:
    from cli.service.store.database import open_database
    from cli.service.work.worker import Worker

    cores = os.cpu_count() or 1
    # One core is for the web server.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (cores - 1) // settings.workers)))
    name = f"{os.uname().nodename}-{os.getpid()}-{time.time_ns()}"
    Worker(settings, open_database(settings.database_url), name).work()


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


def _exit_when_input_closes() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(2 * GRACE)
    os._exit(1)


if __name__ == "__main__":
    main()
