"""Let threads of several processes share the cores."""

import os

# How often a waiting thread checks a lock before it sleeps: what libgomp chooses if there are more threads than cores.
_SPINS = 1000


def wait_without_spinning() -> None:
    """Let idle threads of OpenMP sleep at once, unless the user has chosen otherwise.

    By default, they spin for about a millisecond while they wait for the others, because libgomp expects the cores to
    be its own. Beside another busy process, a thread that computes then waits for a core on which another one spins.
    Commands call this before torch is imported, which is when libgomp reads the variable.

    Source:
        https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(_SPINS))
