"""A language of tones for any words of a-z and 0-9, and providers that speak and understand it: so
a flow's own words go through a whole call, there and back, in a fraction of the time of speech.

It is not like speech: nobody mishears, and two characters take 45 ms.
"""

from __future__ import annotations

import re

import numpy as np

from exobridge_codecs.pcm import to_int16
from exobridge_codecs.tones import tone
from tests.tone_speech import RATE, ToneEars, ToneVoice

TONE_MS, PAUSE_MS = 30, 15
CHARACTERS = " abcdefghijklmnopqrstuvwxyz0123456789"
_LOW_HZ, _HIGH_HZ, _STEP_HZ = 300, 1950, 40
_BETWEEN_HZ = 1860
_HOP = RATE // 200
_HEARD = 4 * _HOP
"""Of a pair's 240 samples, so many from its second hop on are looked at: they are all tone."""
_LOUD = 1000


def spoken(text: str) -> bytes:
    """PCM16 at 8 kHz: each pair of characters as a low and a high tone at once."""
    plain = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    plain += " " * (len(plain) % 2)
    pause = bytes(2 * RATE * PAUSE_MS // 1000)
    return b"".join(_pair(*plain[at : at + 2]) + pause for at in range(0, len(plain), 2))


def _pair(first: str, second: str) -> bytes:
    low, high = (
        to_int16(tone(lowest + _STEP_HZ * CHARACTERS.index(character), TONE_MS, RATE)) // 2
        for lowest, character in ((_LOW_HZ, first), (_HIGH_HZ, second))
    )
    return (low + high).astype("<i2").tobytes()


def understood(pcm: bytes) -> str:
    """The words in PCM16 at 8 kHz; what is cut short is not heard."""
    samples = to_int16(pcm).astype(np.float64)
    text = ""
    loud_hops = 0
    for at in range(0, len(samples) - _HOP + 1, _HOP):
        loud = float(np.abs(samples[at : at + _HOP]).max()) > _LOUD
        loud_hops = loud_hops + 1 if loud else 0
        if loud_hops == 1 + _HEARD // _HOP:
            text += _characters(samples[at + _HOP - _HEARD : at + _HOP])
    return " ".join(text.split())


def _characters(window: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    size = 8 * len(window)
    spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window)), size))
    between = _BETWEEN_HZ * size // RATE
    low = float(np.argmax(spectrum[:between])) * RATE / size
    high = float(np.argmax(spectrum[between:]) + between) * RATE / size
    return _character(low - _LOW_HZ) + _character(high - _HIGH_HZ)


def _character(hertz: float) -> str:
    return CHARACTERS[min(len(CHARACTERS) - 1, max(0, round(hertz / _STEP_HZ)))]


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
