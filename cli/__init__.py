"""The commands `zoo` and `compare`."""
