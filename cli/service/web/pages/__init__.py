"""The pages, for browsers. All of them work without scripts."""
