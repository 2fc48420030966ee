"""Decode image files to tensors."""
