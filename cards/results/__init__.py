"""What every kind of result shows: words, picture, page, and frames; in notebooks and for the command line."""
