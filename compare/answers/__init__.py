"""What models predict, and where their predictions differ."""
