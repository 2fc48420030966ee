"""Remove residual blocks."""
