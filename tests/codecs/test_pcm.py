"""PCM16 as arrays, levels, gain and fades."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_codecs import pcm
from exobridge_codecs.tones import tone

EXTREMES = struct.pack("<5h", -32768, -1, 0, 1, 32767)


@given(st.binary(max_size=400))
def test_no_buffer_is_refused(audio: bytes) -> None:
    """Any bytes, odd numbers of them too, are taken by every helper."""
    whole = pcm.whole_samples(audio)
    assert len(whole) == len(audio) // 2 * 2
    assert pcm.from_int16(pcm.to_int16(audio)) == whole
    assert pcm.from_float(pcm.to_float(audio)) == whole
    assert pcm.gain(audio, 0) == whole
    assert len(pcm.gain(audio, -3)) == len(whole)
    assert len(pcm.fade_edges(audio, 8000)) == len(whole)
    assert pcm.rms_dbfs(audio) <= pcm.peak_dbfs(audio) + 1e-9 <= 1e-9


def test_whole_samples_are_not_copied() -> None:
    """A buffer of whole samples is itself."""
    assert pcm.whole_samples(EXTREMES) is EXTREMES


def test_integers_are_a_view() -> None:
    """The samples as integers are little-endian, share the memory and cannot be written to."""
    samples = pcm.to_int16(EXTREMES)
    assert samples.tolist() == [-32768, -1, 0, 1, 32767]
    assert samples.base is not None
    assert not samples.flags.writeable


def test_floats_lie_between_minus_one_and_one() -> None:
    """Full scale is 32,768, in 32 bits."""
    samples = pcm.to_float(EXTREMES)
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, -1 / 32768, 0.0, 1 / 32768, 32767 / 32768]


def test_floats_beyond_full_scale_are_clipped() -> None:
    """Too loud, infinite and undefined values neither wrap nor raise."""
    samples = [1.0, 1.5, -1.5, math.inf, -math.inf, 1e308, math.nan, 0.4 / 32768, 0.6 / 32768]
    expected = [32767, 32767, -32768, 32767, -32768, 32767, 0, 0, 1]
    assert pcm.to_int16(pcm.from_float(samples)).tolist() == expected


def test_gain_is_in_decibels_and_clips() -> None:
    """20 dB are a factor of ten; what does not fit stops at full scale."""
    audio = struct.pack("<4h", 100, -100, 5000, -5000)
    assert pcm.to_int16(pcm.gain(audio, 20)).tolist() == [1000, -1000, 32767, -32768]
    assert pcm.to_int16(pcm.gain(audio, -20)).tolist() == [10, -10, 500, -500]
    assert pcm.gain(audio, -math.inf) == bytes(8)


def test_levels_of_a_full_scale_sine() -> None:
    """It peaks at 0 dBFS and has a mean of -3.01."""
    sine = pcm.from_float(np.sin(2 * np.pi * np.arange(8000) / 80))
    assert pcm.peak_dbfs(sine) == pytest.approx(0, abs=0.01)
    assert pcm.rms_dbfs(sine) == pytest.approx(-3.01, abs=0.01)


def test_levels_at_the_ends_of_the_scale() -> None:
    """Silence and nothing are minus infinity; the most negative sample is exactly 0 dBFS."""
    for silent in (b"", b"\x01", bytes(320)):
        assert pcm.peak_dbfs(silent) == -math.inf
        assert pcm.rms_dbfs(silent) == -math.inf
    assert pcm.peak_dbfs(struct.pack("<h", -32768)) == 0
    assert pcm.rms_dbfs(struct.pack("<h", -32768)) == 0


def test_a_fade_is_smooth_and_leaves_the_middle_alone() -> None:
    """5 ms at both ends rise and fall; in between nothing changes."""
    faded = pcm.to_int16(pcm.fade_edges(struct.pack("<800h", *[20000] * 800), 8000))
    assert (faded[40:-40] == 20000).all()
    assert faded[0] < 50
    assert (np.diff(faded[:41].astype(int)) >= 0).all()
    assert np.abs(np.diff(faded.astype(int))).max() < 1000
    assert (faded == faded[::-1]).all()


def test_a_fade_of_very_short_audio_keeps_its_length() -> None:
    """Audio shorter than two ramps is faded all the same."""
    faded = pcm.to_int16(pcm.fade_edges(struct.pack("<6h", *[20000] * 6), 8000))
    assert len(faded) == 6
    assert faded[0] < faded[1] < faded[2]


def test_silence_around_a_sound_is_cut_to_what_is_asked() -> None:
    """Lead and tail are no longer than asked; the sound between them is whole."""
    rate = 8000
    sound = tone(440, 300, rate, -20)
    padded = bytes(2 * rate) + sound + bytes(2 * rate)
    trimmed = pcm.trim_silence(padded, rate, lead_ms=20, tail_ms=100)
    assert sound in trimmed
    assert abs(len(trimmed) - len(sound) - 2 * rate * 120 // 1000) <= 4 * rate // 100


def test_silence_alone_and_tight_sound_are_left_as_they_are() -> None:
    """There is nothing to cut."""
    rate = 8000
    sound = tone(440, 300, rate, -20)
    assert pcm.trim_silence(bytes(1600), rate, lead_ms=20, tail_ms=20) == bytes(1600)
    assert pcm.trim_silence(sound, rate, lead_ms=20, tail_ms=20) == sound
    assert pcm.trim_silence(b"", rate, lead_ms=20, tail_ms=20) == b""
