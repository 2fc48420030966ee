"""Layer names, block structure, and dominant examples."""
