"""Everything that is written to JSON. Computes nothing, and needs no torch."""
