"""DTMF and plain tones, looked at through their spectrum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exobridge_codecs.pcm import peak_dbfs, to_float, to_int16
from exobridge_codecs.tones import DTMF_DIGITS, UnknownDigitError, dtmf, dtmf_frequencies, tone

KEYPAD = {
    "1": (697, 1209), "2": (697, 1336), "3": (697, 1477), "A": (697, 1633),
    "4": (770, 1209), "5": (770, 1336), "6": (770, 1477), "B": (770, 1633),
    "7": (852, 1209), "8": (852, 1336), "9": (852, 1477), "C": (852, 1633),
    "*": (941, 1209), "0": (941, 1336), "#": (941, 1477), "D": (941, 1633),
}  # fmt: skip
"""ITU-T Q.23, table 1."""


def _power(pcm: bytes, frequency_hz: float, sample_rate: int) -> float:
    """Power at one frequency, in dB against a sine at full scale (Goertzel's measure)."""
    samples = to_float(pcm) * np.hanning(len(pcm) // 2) * 2
    turning = np.exp(-2j * np.pi * frequency_hz * np.arange(len(samples)) / sample_rate)
    return 20 * math.log10(2 * abs(np.dot(samples, turning)) / len(samples))


@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000])
@pytest.mark.parametrize("digit", DTMF_DIGITS)
def test_a_digit_is_its_two_tones(digit: str, sample_rate: int) -> None:
    """Both are there at 12 dB under full scale, and the other six are not."""
    assert dtmf_frequencies(digit) == KEYPAD[digit]
    sound = dtmf(digit, sample_rate, gap_ms=0)
    for frequency in {hertz for pair in KEYPAD.values() for hertz in pair}:
        power = _power(sound, frequency, sample_rate)
        if frequency in KEYPAD[digit]:
            assert power == pytest.approx(-12, abs=0.5)
        else:
            assert power < -40


def test_there_are_sixteen_digits() -> None:
    """The keypad's and no others."""
    assert sorted(DTMF_DIGITS) == sorted(KEYPAD)


def test_digits_are_separated_by_silence() -> None:
    """Each is a tone and a gap of the lengths asked for, in the order given."""
    sound = dtmf("1#", 8000, tone_ms=80, gap_ms=40)
    assert len(sound) == 2 * 2 * 8 * (80 + 40)
    first, second = sound[: 2 * 8 * 80], sound[2 * 8 * 120 : 2 * 8 * 200]
    assert first == dtmf("1", 8000, tone_ms=80, gap_ms=0)
    assert second == dtmf("#", 8000, tone_ms=80, gap_ms=0)
    assert sound[2 * 8 * 80 : 2 * 8 * 120] == bytes(2 * 8 * 40) == sound[2 * 8 * 200 :]


def test_tones_start_and_stop_softly() -> None:
    """The first and last samples are near silence: no click, whatever the phase."""
    for sound in (dtmf("D", 8000, gap_ms=0), tone(997, 33.3, 8000, level_dbfs=0)):
        samples = np.abs(to_int16(sound).astype(int))
        assert max(samples[0], samples[-1]) < 300
        assert max(samples[:4].max(), samples[-4:].max()) < samples.max() / 4


def test_the_level_is_the_peak() -> None:
    """No tone is louder than asked for, nor much softer."""
    for level in (-20, -6, 0):
        assert peak_dbfs(tone(1000, 500, 16000, level)) == pytest.approx(level, abs=0.05)
        assert level - 1 < peak_dbfs(dtmf("5", 16000, tone_ms=500, level_dbfs=level)) <= level


def test_small_letters_are_digits_too() -> None:
    """``a`` is ``A``; no digits are no sound."""
    assert dtmf("abcd", 8000) == dtmf("ABCD", 8000)
    assert dtmf("", 8000) == b""


@pytest.mark.parametrize("digit", ["E", " ", "+", "²", "ß", "五"])
def test_an_unknown_digit_is_an_error(digit: str) -> None:
    """It is named in the error."""
    with pytest.raises(UnknownDigitError) as caught:
        dtmf("1" + digit, 8000)
    assert caught.value.digit == digit


@pytest.mark.parametrize("digit", ["", "12"])
def test_one_digit_has_frequencies(digit: str) -> None:
    """None or several are an error."""
    with pytest.raises(UnknownDigitError):
        dtmf_frequencies(digit)


def test_a_plain_tone_is_one_frequency() -> None:
    """Its power is at its frequency and nowhere else."""
    sound = tone(440, 200, 8000, level_dbfs=-10)
    assert len(sound) == 2 * 8 * 200
    assert _power(sound, 440, 8000) == pytest.approx(-10, abs=0.3)
    assert _power(sound, 880, 8000) < -60


@pytest.mark.parametrize(
    ("frequency", "duration", "rate", "level"),
    [
        (4000, 100, 8000, -6),
        (0, 100, 8000, -6),
        (math.nan, 100, 8000, -6),
        (440, -1, 8000, -6),
        (440, math.inf, 8000, -6),
        (440, 100, 3999, -6),
        (440, 100, 8000, 0.1),
        (440, 100, 8000, math.nan),
    ],
)
def test_what_cannot_be_made_is_refused(
    frequency: float, duration: float, rate: int, level: float
) -> None:
    """Frequencies, lengths, rates and levels out of range are errors, not noise."""
    with pytest.raises(ValueError, match=r"\d"):
        tone(frequency, duration, rate, level)
