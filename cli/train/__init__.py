"""Train, and write model folders."""
