"""Results as text, pictures, pages, and model cards."""
