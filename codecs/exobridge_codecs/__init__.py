"""Audio as bytes and arrays. Knows nothing of phones or vendors."""
