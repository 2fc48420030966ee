"""The service and the Hub: checks of models on every push, and the service as a Space."""
