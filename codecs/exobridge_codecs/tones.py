"""Tones as PCM16: DTMF digits (ITU-T Q.23) and single frequencies.

Exotel takes no digits from the bot as an event, so they are sent as sound.
"""

from __future__ import annotations

import math

import numpy as np

from exobridge_codecs.pcm import FULL_SCALE, fade_edges, saturate

DTMF_DIGITS = "123A456B789C*0#D"
"""Every digit there is, in the order of the keypad: a row has one low, a column one high tone."""
LOW_GROUP_HZ = (697, 770, 852, 941)
HIGH_GROUP_HZ = (1209, 1336, 1477, 1633)

_RAMP_MS = 2.0
_MIN_RATE = 4_000


class UnknownDigitError(ValueError):
    """There is no tone for this character.

    Attributes:
        digit: The character.
    """

    def __init__(self, digit: str) -> None:
        super().__init__(f"{digit!r} is no DTMF digit: 0-9, *, # and A-D are")
        self.digit = digit


def dtmf_frequencies(digit: str) -> tuple[int, int]:
    """The low and the high frequency of a digit (``a`` is ``A``), in hertz.

    Raises:
        UnknownDigitError: There is no such digit.
    """
    place = DTMF_DIGITS.find(digit.upper()) if len(digit) == 1 else -1
    if place < 0:
        raise UnknownDigitError(digit)
    row, column = divmod(place, len(HIGH_GROUP_HZ))
    return LOW_GROUP_HZ[row], HIGH_GROUP_HZ[column]


def dtmf(
    digits: str,
    sample_rate: int,
    tone_ms: float = 100,
    gap_ms: float = 50,
    level_dbfs: float = -6,
) -> bytes:
    """Dialled digits, each a tone and a gap (the last one too, so that strings can be joined).

    Args:
        digits: 0-9, ``*``, ``#``, A-D; none gives no audio.
        sample_rate: Hertz, at least 4,000.
        tone_ms: Length of a tone; receivers want 40 or more (ITU-T Q.24).
        gap_ms: Silence after it; receivers want 40 or more.
        level_dbfs: Where the two tones peak together; each alone is 6 dB lower. At most 0.

    Raises:
        UnknownDigitError: One of the digits does not exist; nothing is made of the others.
        ValueError: The level, a length or the rate is out of range.
    """
    gap = bytes(2 * _sample_count(gap_ms, sample_rate))
    pairs = [dtmf_frequencies(digit) for digit in digits]
    tones = (_sines(pair, tone_ms, sample_rate, level_dbfs) + gap for pair in pairs)
    return b"".join(tones)


def tone(
    frequency_hz: float, duration_ms: float, sample_rate: int, level_dbfs: float = -6
) -> bytes:
    """One sine with soft edges.

    Args:
        frequency_hz: Above 0 and below half the rate.
        duration_ms: Length.
        sample_rate: Hertz, at least 4,000.
        level_dbfs: Its peak, at most 0.

    Raises:
        ValueError: The frequency, level, length or rate is out of range.
    """
    return _sines((frequency_hz,), duration_ms, sample_rate, level_dbfs)


def _sines(
    frequencies: tuple[float, ...], duration_ms: float, sample_rate: int, level_dbfs: float
) -> bytes:
    count = _sample_count(duration_ms, sample_rate)
    if not level_dbfs <= 0:
        raise ValueError(f"a level is at most 0 dBFS, not {level_dbfs}")
    if not all(0 < frequency < sample_rate / 2 for frequency in frequencies):
        raise ValueError(f"at {sample_rate} Hz a tone lies between 0 and {sample_rate / 2:g} Hz")
    seconds = np.arange(count) / sample_rate
    wave = sum((np.sin(2 * np.pi * hertz * seconds) for hertz in frequencies), np.zeros(count))
    peak = (FULL_SCALE - 1) * 10 ** (level_dbfs / 20) / len(frequencies)
    return fade_edges(saturate(wave * peak), sample_rate, _RAMP_MS)


def _sample_count(duration_ms: float, sample_rate: int) -> int:
    if sample_rate < _MIN_RATE:
        raise ValueError(f"a sample rate is at least {_MIN_RATE} Hz, not {sample_rate}")
    if not 0 <= duration_ms < math.inf:
        raise ValueError(f"a length is 0 ms or more, not {duration_ms}")
    return round(duration_ms * sample_rate / 1000)
