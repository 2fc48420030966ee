"""Numbers and results as text."""
