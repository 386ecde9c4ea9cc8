"""Audio that Exotel is to play: WAV of 8 kHz, 16 bit, mono, or MP3. Pure."""

from __future__ import annotations

from exobridge_codecs.wav import WavError, parse_wav

SAMPLE_RATE = 8000
_BITS_16 = b"\x10\x00"
_MP3_BITRATES = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s of layer III by the header's version (3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5) and index."""


class AudioError(ValueError):
    """Exotel cannot play it; the message says why."""


def audio_seconds(data: bytes | None) -> float:
    """How long it is.

    Args:
        data: The whole file; ``None``: it was too long to be read.

    Raises:
        AudioError: It is neither such a WAV nor MP3.
    """
    if data is None:
        raise AudioError("the file is too long")
    if data[:4] == b"RIFF":
        return _wav_seconds(data)
    return _mp3_seconds(data)


def _wav_seconds(data: bytes) -> float:
    try:
        wav = parse_wav(data)
    except WavError as error:
        raise AudioError(str(error)) from None
    bits = data.find(b"fmt ")
    deep = data[bits + 22 : bits + 24] == _BITS_16
    if wav.sample_rate != SAMPLE_RATE or len(wav.channels) != 1 or not deep:
        raise AudioError(f"WAV of {wav.sample_rate} Hz, {len(wav.channels)} channels")
    return wav.duration_ms / 1000


def _mp3_seconds(data: bytes) -> float:
    """By the first frame's bit rate; a tag before it does not count."""
    if data[:3] == b"ID3" and len(data) >= 10:
        size = 0
        for byte in data[6:10]:
            size = size << 7 | byte & 0x7F
        data = data[10 + size :]
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:  # sync, layer III
        raise AudioError("neither WAV nor MP3")
    rates = _MP3_BITRATES.get(data[1] >> 3 & 3)
    index = data[2] >> 4
    if rates is None or not 0 < index < 15:
        raise AudioError("MP3 of no known bit rate")
    return len(data) * 8 / (rates[index] * 1000)
