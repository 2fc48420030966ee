"""`python -m cli.child ARGUMENTS` is `zoo ARGUMENTS`, but ends when its standard input is closed.

The parent process holds the other end of the pipe, so a child does not outlive a parent that is killed.
"""

import os
import signal
import threading
import time

from cli.jobs.processes import GRACE


def main() -> None:
    """Run the command given by the arguments."""
    from cli.app import zoo

    threading.Thread(target=_exit_when_input_closes, daemon=True).start()
    zoo()


def _exit_when_input_closes() -> None:
    # Not through sys.stdin, whose lock would block the interpreter at exit.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    main()
