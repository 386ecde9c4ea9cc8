"""How long what is known of calls is kept, and how it is taken away."""
