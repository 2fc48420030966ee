"""Results: frozen dataclasses that convert to and from JSON. This wing computes nothing and needs no torch."""
