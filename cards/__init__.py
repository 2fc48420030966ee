"""What people read: results as text, pictures and model cards."""
