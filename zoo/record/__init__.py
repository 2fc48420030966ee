"""Training records, recipes, and names of models and datasets. Needs no torch."""
