"""Where images are stored: class folders, and data sets of the Hub."""
