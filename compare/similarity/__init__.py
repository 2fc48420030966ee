"""Gram matrices, and the similarity of layers."""
