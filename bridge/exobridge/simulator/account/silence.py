"""Recordings without a word: what there is to fetch where no sound was kept as MP3."""

from __future__ import annotations

FRAME_SECONDS = 0.072
_MONO, _STEREO = 0xC0, 0x00


def silent_mp3(seconds: float, *, channels: int = 1) -> bytes:
    """A recording in which nobody speaks: MPEG-2.5 layer III, 8 kHz, 8 kbit/s, frames of 72 ms.

    Args:
        seconds: Its length, to the next frame; one frame at least.
        channels: 1 or 2.
    """
    header = bytes([0xFF, 0xE3, 0x18, _MONO if channels == 1 else _STEREO])
    return (header + bytes(68)) * max(1, round(seconds / FRAME_SECONDS))
