"""`python -m cli.child ARGUMENTS` is `zoo ARGUMENTS`, but ends when its standard input does.

Whoever starts it holds the other end, so it does not go on alone if that one is killed.
"""

import os
import signal
import threading
import time

from cli.jobs.processes import GRACE


def main() -> None:
    """Run the command."""
    from cli.app import zoo

    threading.Thread(target=_end_with_input, daemon=True).start()
    zoo()


def _end_with_input() -> None:
    # Not through sys.stdin, whose lock would be held when the interpreter ends.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    main()
