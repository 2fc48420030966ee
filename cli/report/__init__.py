"""Reports in the terminal, and result files."""
