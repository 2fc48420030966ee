"""Runs in other processes, on this machine or a Ray cluster."""
