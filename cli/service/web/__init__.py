"""The web server: the REST API, and the pages."""
