"""Layer names, block structure, dominant examples."""
