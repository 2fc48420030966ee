"""One pass over the data for any number of models."""
