"""What people share about models on the Hub: collections and discussions."""
