"""Speech to speech."""
