"""The tables of every result, built once for the terminal and for HTML pages."""
