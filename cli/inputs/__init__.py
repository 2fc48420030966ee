"""From the options of a command to models and images."""
