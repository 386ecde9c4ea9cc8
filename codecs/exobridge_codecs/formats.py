"""How audio is written as bytes: an encoding and a sample rate. Always one channel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FRAME_MS = 20
"""The frame everything inside works in, in milliseconds."""


class Encoding(StrEnum):
    """How one sample is written."""

    PCM16 = "pcm16"
    """Linear, signed 16 bit, little-endian: 2 bytes a sample, silence is 0x00."""
    MULAW = "mulaw"
    """G.711 μ-law: 1 byte a sample, silence is 0xFF."""
    ALAW = "alaw"
    """G.711 A-law: 1 byte a sample, silence is 0xD5."""


_SAMPLE_BYTES = {Encoding.PCM16: 2, Encoding.MULAW: 1, Encoding.ALAW: 1}
_SILENCE = {Encoding.PCM16: b"\x00", Encoding.MULAW: b"\xff", Encoding.ALAW: b"\xd5"}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One channel of audio.

    Attributes:
        encoding: How a sample is written.
        sample_rate: Hertz.
    """

    encoding: Encoding
    sample_rate: int

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return _SAMPLE_BYTES[self.encoding]

    @property
    def bytes_per_ms(self) -> int:
        """Bytes of one millisecond (every telephone rate is a whole number of kilohertz)."""
        return self.sample_rate * self.sample_bytes // 1000

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame of ``FRAME_MS``."""
        return self.bytes_per_ms * FRAME_MS

    def silence(self, size: int) -> bytes:
        """``size`` bytes of silence."""
        return _SILENCE[self.encoding] * size

    def duration_ms(self, size: int) -> float:
        """How long ``size`` bytes play, in milliseconds."""
        return size * 1000 / (self.sample_rate * self.sample_bytes)


def pcm16(sample_rate: int) -> AudioFormat:
    """PCM16 at ``sample_rate`` Hz: the only encoding used between a call's rooms."""
    return AudioFormat(Encoding.PCM16, sample_rate)
