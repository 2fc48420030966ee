"""Train one model."""
