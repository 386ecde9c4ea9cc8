"""Speech-to-text, text-to-speech, dialogue and voice-activity providers, and their contracts."""
