"""Reports in the terminal, and files."""
