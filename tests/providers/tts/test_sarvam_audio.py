"""Sarvam's audio: nothing but what was asked for reaches the line."""

from __future__ import annotations

import pytest

from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.wav import wav_header
from exobridge_providers.errors import ProviderProtocolError
from exobridge_providers.tts.sarvam_audio import raw

LINEAR = pcm16(8000)
MULAW = AudioFormat(Encoding.MULAW, 8000)
AUDIO = b"\1\2\3\4"


@pytest.mark.parametrize("audio_format", [LINEAR, MULAW, pcm16(24_000)])
@pytest.mark.parametrize("size", [4, 0, None])
def test_the_header_of_a_file_is_no_audio(audio_format: AudioFormat, size: int | None) -> None:
    """Also where it does not know the size of the data."""
    header = wav_header(audio_format, 1, size)
    assert raw(header + AUDIO, "audio/wav", audio_format, "sarvam") == AUDIO


def test_what_follows_the_data_is_no_audio() -> None:
    """Nor is what stands before it."""
    header = wav_header(LINEAR, 1, 4)
    noted = header[:36] + b"note\3\0\0\0abc\0" + header[36:]
    assert raw(noted + AUDIO + b"LIST", "audio/wav", LINEAR, "sarvam") == AUDIO


@pytest.mark.parametrize("audio", [AUDIO, b"", b"RIFF", b"RIFF" + bytes(20)])
def test_raw_audio_is_left_as_it_is(audio: bytes) -> None:
    """Even where it begins like a file; what it is called may be missing."""
    assert raw(audio, None, LINEAR, "sarvam") == audio


@pytest.mark.parametrize("wrong", [pcm16(24_000), MULAW])
def test_another_format_is_not_played(wrong: AudioFormat) -> None:
    """It would be noise."""
    with pytest.raises(ProviderProtocolError, match="8000 Hz"):
        raw(wav_header(wrong, 1, 4) + AUDIO, "audio/wav", LINEAR, "sarvam")


@pytest.mark.parametrize("content_type", ["audio/mpeg", "audio/MP3", "audio/ogg; codecs=opus"])
def test_compressed_audio_is_not_played(content_type: str) -> None:
    """It would be noise, too."""
    with pytest.raises(ProviderProtocolError, match="compressed"):
        raw(AUDIO, content_type, LINEAR, "sarvam")


def test_a_damaged_header_is_garbage() -> None:
    """There is no data behind it."""
    with pytest.raises(ValueError, match="header"):
        raw(wav_header(LINEAR, 1, 4)[:30], "audio/wav", LINEAR, "sarvam")
