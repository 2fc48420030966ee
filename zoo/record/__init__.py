"""Recipes, and the records of training runs. Needs no torch."""
