"""Cached results, traces, and images."""
