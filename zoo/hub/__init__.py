"""The Hugging Face Hub: find, download, publish, and list models."""
