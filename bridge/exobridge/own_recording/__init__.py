"""Stereo recordings that are made of the stream itself: the caller left, the bot right."""
