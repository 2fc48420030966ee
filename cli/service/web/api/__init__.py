"""REST, described at `/openapi.json`."""
