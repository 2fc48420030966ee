"""Run a model and compute the Gram matrices of its layers."""
