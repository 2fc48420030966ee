"""What all property tests share."""

import os

from hypothesis import HealthCheck, settings

# Inputs for each property of `make fuzz`, each of which may take five seconds; other runs try a few, without a limit of
# time, since machines may be slow.
FUZZ = int(os.environ.get("ZOO_FUZZ", "0"))
LIMITS = settings(
    max_examples=FUZZ or 12,
    deadline=5000 if FUZZ else None,
    derandomize=not FUZZ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# Longest error.
MOST_CHARACTERS = 500


def one_line(error):
    """Check that an error is one line that can be printed."""
    text = str(error)
    assert "\n" not in text, text
    assert len(text) <= MOST_CHARACTERS, text
