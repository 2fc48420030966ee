"""Remove residual blocks from trained models."""
