"""Gram matrices and similarity measures of layers."""
