"""Results and images kept for the next time."""
