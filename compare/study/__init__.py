"""Tests of the paper's claims on a grid of networks."""
