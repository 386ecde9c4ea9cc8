"""Providers that speak and understand letters, so that a flow's own words go through a whole call,
there and back, in a fraction of the time of speech."""

from __future__ import annotations

from exobridge_providers.testing.letters import spoken, understood
from tests.tone_speech import ToneEars, ToneVoice


class Ears(ToneEars):
    """Speech-to-text for letters."""

    def understood(self, pcm: bytes) -> str:
        """The words."""
        return understood(pcm)


class Voice(ToneVoice):
    """Text-to-speech in letters."""

    def spoken(self, text: str) -> bytes:
        """The tones."""
        return spoken(text)
