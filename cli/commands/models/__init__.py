"""Commands that train, list and change models."""
