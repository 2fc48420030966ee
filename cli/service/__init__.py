"""The comparison service: a web server, workers, and the database between them."""
