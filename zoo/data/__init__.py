"""Labelled images: data sets, splits, subsets, minibatches."""
