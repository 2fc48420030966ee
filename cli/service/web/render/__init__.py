"""HTML of the pages: words, form fields, plots, and templates."""
