"""What people ask: requests, names, and their resolution to models and datasets that cannot change any more."""
