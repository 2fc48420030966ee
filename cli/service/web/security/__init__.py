"""Who may ask what: tokens, sessions, and the rules for requests and answers."""
