"""A language of tones: each word is one frequency. Bots of the tests speak it, and a real provider
understands it, so that words can be tested without a model.

It is not like speech: no noise, no mistakes, and every word takes 160 ms.
"""

from __future__ import annotations

import numpy as np

from exobridge_codecs.pcm import to_int16
from exobridge_codecs.tones import tone
from tests import tone_speech
from tests.tone_speech import RATE

EARS = f"{__name__}:ToneEars"
"""How a script names the provider."""
VOICE = "exobridge_providers.testing.fake_tts:FakeTts"
"""A caller's voice that needs no model: it hums 60 ms a character."""

WORDS = ("hello", "we", "are", "open", "from", "nine", "to", "five", "it", "costs", "fifty", "bye")
TONE_MS, PAUSE_MS = 120, 40
_HOP = RATE // 100


def spoken(text: str) -> bytes:
    """PCM16 at 8 kHz, whole multiples of 320 bytes."""
    pause = bytes(2 * RATE * PAUSE_MS // 1000)
    tones = [tone(300 + 200 * WORDS.index(word), TONE_MS, RATE) for word in text.split()]
    return b"".join(each + pause for each in tones)


def understood(pcm: bytes) -> str:
    """The words in PCM16 at 8 kHz."""
    samples = to_int16(pcm).astype(np.float64)
    words: list[str] = []
    loud = False
    for at in range(0, len(samples) - 4 * _HOP, _HOP):
        window = samples[at : at + _HOP]
        was, loud = loud, float(np.abs(window).max()) > 1000
        if loud and not was:
            spectrum = np.abs(np.fft.rfft(samples[at : at + 4 * _HOP]))
            hertz = float(np.argmax(spectrum)) * RATE / (4 * _HOP)
            words.append(WORDS[min(len(WORDS) - 1, max(0, round((hertz - 300) / 200)))])
    return " ".join(words)


class ToneEars(tone_speech.ToneEars):
    """Speech-to-text for tones."""

    def understood(self, pcm: bytes) -> str:
        """The words."""
        return understood(pcm)
