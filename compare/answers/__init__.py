"""Predictions of models, and where they differ."""
