"""One HTML page per kind of result, and the index page of a site."""
