"""Two models and one stream of images: what they share, where they differ. No files, no network, no terminal."""
