"""Output, progress, options, and drawing in the terminal."""
