"""Helpers for files, folders, devices, and versions."""
