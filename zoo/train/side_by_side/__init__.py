"""Train several seeds of one variant side by side."""
