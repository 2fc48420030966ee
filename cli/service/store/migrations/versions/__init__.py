"""One file per version of the tables. A version that was released never changes."""
