"""The paper's claims, tested on a grid of networks."""
