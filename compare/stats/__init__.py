"""Statistical tests and intervals. Needs no torch."""
