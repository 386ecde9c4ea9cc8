"""Sizes and durations of audio formats."""

from __future__ import annotations

import pytest

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16


@pytest.mark.parametrize(
    ("encoding", "rate", "frame_bytes"),
    [
        (Encoding.MULAW, 8000, 160),
        (Encoding.ALAW, 8000, 160),
        (Encoding.PCM16, 8000, 320),
        (Encoding.PCM16, 16000, 640),
        (Encoding.PCM16, 24000, 960),
    ],
)
def test_a_frame_is_twenty_milliseconds(encoding: Encoding, rate: int, frame_bytes: int) -> None:
    """Its bytes follow from the rate and the sample's width, and last 20 ms."""
    audio = AudioFormat(encoding, rate)
    assert audio.frame_bytes == frame_bytes
    assert audio.duration_ms(frame_bytes) == 20


def test_a_part_of_a_millisecond_has_a_duration() -> None:
    """One sample at 8 kHz lasts an eighth of a millisecond."""
    assert pcm16(8000).duration_ms(2) == 0.125


@pytest.mark.parametrize(
    ("encoding", "silence"),
    [
        (Encoding.PCM16, b"\x00\x00\x00"),
        (Encoding.MULAW, b"\xff" * 3),
        (Encoding.ALAW, b"\xd5" * 3),
    ],
)
def test_silence_is_the_encodings_own(encoding: Encoding, silence: bytes) -> None:
    """The byte of G.711 that is nearest to zero; any number of them."""
    assert AudioFormat(encoding, 8000).silence(3) == silence
