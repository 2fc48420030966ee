"""Statistical tests and confidence intervals. Needs no torch."""
