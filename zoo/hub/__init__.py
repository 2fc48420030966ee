"""Models on the Hugging Face Hub: find, fetch, publish, list."""
