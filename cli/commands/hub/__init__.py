"""Commands for the Hugging Face Hub."""
