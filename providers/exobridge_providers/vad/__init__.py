"""Voice-activity detection."""
