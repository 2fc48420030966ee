"""Comparison of two architectures over several seeds of each."""
