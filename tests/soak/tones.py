"""A language of tones, and providers that understand and speak it: so it can be checked that every
word said was understood, and every word written down was heard.

It is not like speech: no noise, no mistakes, and every word takes 160 ms.
"""

from __future__ import annotations

import numpy as np

from exobridge_codecs.pcm import to_int16
from exobridge_codecs.tones import tone
from tests.tone_speech import RATE, ToneEars, ToneVoice

WORD_MS, TONE_MS = 160, 120
_LOWEST_HZ, _STEP_HZ = 300, 110
_HOP = RATE // 100
_LOUD = 1000

CALLERS = ("ant", "bee", "cat", "dog", "eel", "fly", "gnu", "hen", "ibis", "jay", "kite", "lark")
"""Words of the caller's."""
BOTS = (
    *("ash", "bay", "elm", "fir", "gum", "ivy", "koa", "lime"),
    *("moss", "nut", "oak", "pine", "rue", "sage", "teak", "yew"),
)
"""Words of the bot's."""
_WORDS = (*CALLERS, *BOTS)


def spoken(text: str) -> bytes:
    """PCM16 at 8 kHz; a word that is not of the language is silence."""
    pause = bytes(2 * RATE * (WORD_MS - TONE_MS) // 1000)
    return b"".join(_tone(word) + pause for word in text.split())


def _tone(word: str) -> bytes:
    if word not in _WORDS:
        return bytes(2 * RATE * TONE_MS // 1000)
    return tone(_LOWEST_HZ + _STEP_HZ * _WORDS.index(word), TONE_MS, RATE)


def understood(pcm: bytes) -> list[str]:
    """The words in PCM16 at 8 kHz; a tone of less than 40 ms is none."""
    samples = to_int16(pcm).astype(np.float64)
    words: list[str] = []
    loud_hops = 0
    for at in range(0, len(samples) - _HOP + 1, _HOP):
        loud = float(np.abs(samples[at : at + _HOP]).max()) > _LOUD
        loud_hops = loud_hops + 1 if loud else 0
        if loud_hops == 4:
            window = samples[at - 3 * _HOP : at + _HOP]
            spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window)), 4 * len(window)))
            hertz = float(np.argmax(spectrum)) * RATE / (4 * len(window))
            words.append(
                _WORDS[min(len(_WORDS) - 1, max(0, round((hertz - _LOWEST_HZ) / _STEP_HZ)))]
            )
    return words


class Ears(ToneEars):
    """Speech-to-text for tones."""

    def understood(self, pcm: bytes) -> str:
        """The words."""
        return " ".join(understood(pcm))


class Voice(ToneVoice):
    """Text-to-speech in tones."""

    def spoken(self, text: str) -> bytes:
        """The tones."""
        return spoken(text)
