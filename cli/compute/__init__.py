"""Answer a question, or recall the answer."""
