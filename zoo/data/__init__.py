"""Labelled images: datasets, splits, subsets, and minibatches."""
