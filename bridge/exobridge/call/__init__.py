"""One call: its state, turn-taking, playout and conversation."""
