"""Dialogues: what the bot answers."""
