"""A language of tones for any words of a-z and 0-9: what is spoken in it is understood to the
letter, so that audio which was cut, mixed up, resampled wrongly or sent twice gives other words.

It is not like speech: nobody mishears, two characters take 45 ms, and it costs next to nothing. It
bears μ-law, resampling between 8, 16 and 24 kHz, and any cutting into messages.
"""

from __future__ import annotations

import re

import numpy as np

from exobridge_codecs.pcm import to_int16
from exobridge_codecs.tones import tone

TONE_MS, PAUSE_MS = 30, 15
CHARACTERS = " abcdefghijklmnopqrstuvwxyz0123456789"
_LOW_HZ, _HIGH_HZ, _STEP_HZ = 300, 1950, 40
_BETWEEN_HZ = 1860
_HOP_MS = 5
_HEARD_HOPS = 4
"""Of a pair's 30 ms, so many hops from the second on are looked at: they are all tone."""
_LOUD = 1000

_Samples = np.ndarray[tuple[int], np.dtype[np.float64]]


def spoken(text: str, rate: int = 8000) -> bytes:
    """PCM16: each pair of characters as a low and a high tone at once. Whatever is no letter and no
    digit is a space.

    Args:
        rate: Hertz, 8000 or more.
    """
    plain = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    plain += " " * (len(plain) % 2)
    pause = bytes(2 * rate * PAUSE_MS // 1000)
    pairs = (_pair(plain[at], plain[at + 1], rate) + pause for at in range(0, len(plain), 2))
    return b"".join(pairs)


def _pair(first: str, second: str, rate: int) -> bytes:
    low, high = (
        to_int16(tone(lowest + _STEP_HZ * CHARACTERS.index(character), TONE_MS, rate)) // 2
        for lowest, character in ((_LOW_HZ, first), (_HIGH_HZ, second))
    )
    return (low + high).astype("<i2").tobytes()


def understood(pcm: bytes, rate: int = 8000) -> str:
    """The words in PCM16; what is cut short is not heard."""
    ear = LetterEar(rate)
    ear.hear(pcm)
    return ear.text


class LetterEar:
    """Understands audio as it comes.

    Args:
        rate: Hertz.

    Attributes:
        quiet_ms: Since the last sound, in milliseconds of audio.
    """

    def __init__(self, rate: int = 8000) -> None:
        self.quiet_ms = 0.0
        self._rate = rate
        self._hop = rate * _HOP_MS // 1000
        self._rest = b""
        self._window: list[_Samples] = []
        self._heard: list[str] = []

    def hear(self, pcm: bytes) -> None:
        """More audio, of any size."""
        pcm = self._rest + pcm
        size = 2 * self._hop
        whole = len(pcm) - len(pcm) % size
        self._rest = pcm[whole:]
        samples = to_int16(pcm[:whole]).astype(np.float64)
        for at in range(0, len(samples), self._hop):
            self._hear_hop(samples[at : at + self._hop])

    def _hear_hop(self, hop: _Samples) -> None:
        if float(np.abs(hop).max()) <= _LOUD:
            self.quiet_ms += _HOP_MS
            self._window.clear()
            return
        self.quiet_ms = 0.0
        self._window.append(hop)
        if len(self._window) == 1 + _HEARD_HOPS:
            self._heard.append(self._pair(np.concatenate(self._window[1:])))

    def _pair(self, window: _Samples) -> str:
        size = 8 * len(window)
        spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window)), size))
        between = _BETWEEN_HZ * size // self._rate
        low = float(np.argmax(spectrum[:between])) * self._rate / size
        high = float(np.argmax(spectrum[between:]) + between) * self._rate / size
        return _character(low - _LOW_HZ) + _character(high - _HIGH_HZ)

    @property
    def text(self) -> str:
        """The words so far."""
        return " ".join("".join(self._heard).split())

    @property
    def words(self) -> list[str]:
        """Those of which no letter can follow: all but the last, until there is a pause."""
        words = self.text.split()
        return words if self.quiet_ms > 2 * PAUSE_MS or self._ends_with_space else words[:-1]

    @property
    def _ends_with_space(self) -> bool:
        return bool(self._heard) and self._heard[-1].endswith(" ")

    def forget(self) -> str:
        """The words so far; then it begins anew."""
        text = self.text
        self._heard.clear()
        return text


def _character(hertz: float) -> str:
    return CHARACTERS[min(len(CHARACTERS) - 1, max(0, round(hertz / _STEP_HZ)))]
