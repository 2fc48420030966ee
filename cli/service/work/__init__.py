"""The work of the service: processes that take jobs from the queue, and compute their answers."""
