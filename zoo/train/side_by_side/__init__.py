"""Train several seeds of one variant at once."""
