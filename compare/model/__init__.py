"""Run a model and take the Gram matrices of its layers."""
