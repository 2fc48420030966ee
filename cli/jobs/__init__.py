"""Work in other processes, here or on a Ray cluster."""
