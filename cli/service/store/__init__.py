"""The database of the service: the queue of jobs, the history, and watched models."""
