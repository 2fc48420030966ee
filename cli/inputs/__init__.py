"""Models and images that a command line refers to."""
