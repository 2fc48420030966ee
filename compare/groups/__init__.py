"""Two groups of seeds."""
