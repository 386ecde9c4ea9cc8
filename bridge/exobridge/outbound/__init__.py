"""Calling out: who is to be called, when, and what became of it."""
