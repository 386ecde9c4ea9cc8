"""WAV files, one or two channels, in and out.

Read: linear PCM of 8, 16, 24 and 32 bits, and G.711 (telephone recordings), also where the header
is of the extensible kind. Everything is given as PCM16; deeper samples lose their lowest bits.
Written: PCM16, whole; or piece by piece, in any encoding, behind :func:`wav_header`.
"""

from __future__ import annotations

import os
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_codecs.g711 import alaw_to_pcm, mulaw_to_pcm
from exobridge_codecs.pcm import saturate, to_int16, whole_samples

_PCM = 0x0001
_ALAW = 0x0006
_MULAW = 0x0007
_EXTENSIBLE = 0xFFFE
_SUBFORMAT_TAIL = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71")
"""What follows the two bytes of the format's tag in its GUID (Microsoft's ``mmreg.h``)."""
_BITS = {_PCM: (8, 16, 24, 32), _ALAW: (8,), _MULAW: (8,)}
_UNKNOWN_SIZE = 0xFFFFFFFF
"""The data's size in the header of a file that was written to a pipe."""
_MAX_CHANNELS = 2
_MAX_RATE = 192_000


class WavError(ValueError):
    """This is no WAV file that can be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Wav:
    """Audio from a file.

    Attributes:
        sample_rate: Hertz, 1 to 192,000.
        channels: PCM16 of one (mono) or two (left, right) channels, equally long.
    """

    sample_rate: int
    channels: tuple[bytes, ...]

    @property
    def duration_ms(self) -> float:
        """Length in milliseconds."""
        return len(self.channels[0]) * 500 / self.sample_rate

    def mono(self) -> bytes:
        """One channel of PCM16: the mean of both where there are two."""
        if len(self.channels) == 1:
            return self.channels[0]
        return saturate(np.mean([to_int16(channel) for channel in self.channels], axis=0))


@dataclass(frozen=True, slots=True)
class _Layout:
    tag: int
    channels: int
    sample_rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def read_wav(source: str | os.PathLike[str] | BinaryIO) -> Wav:
    """Read a file, by its path or open for reading.

    Raises:
        WavError: It is no WAV file that can be read.
        OSError: It cannot be opened or read at all.
    """
    if isinstance(source, str | os.PathLike):
        return parse_wav(Path(source).read_bytes())
    return parse_wav(source.read())


def parse_wav(data: bytes) -> Wav:
    """Read the bytes of a file.

    Raises:
        WavError: They are no WAV file that can be read. No input raises anything else.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("this is no WAV file: it does not begin with RIFF and WAVE")
    layout: _Layout | None = None
    for name, content in _chunks(data):
        if name == b"fmt ":
            layout = _layout(content)
        elif name == b"data":
            if layout is None:
                raise WavError("the data stand before their format")
            return Wav(layout.sample_rate, _channels(content, layout))
    raise WavError("the file ends before its data")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk; they start at even places."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data" and size == _UNKNOWN_SIZE:
            size = len(data) - at
        if at + size > len(data):
            raise WavError(f"the file is cut off: {at + size - len(data)} bytes are missing")
        yield name, data[at : at + size]
        at += size + (size & 1)


def _layout(content: bytes) -> _Layout:
    if len(content) < 16:
        raise WavError(f"the format takes 16 bytes, not {len(content)}")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", content)
    if tag == _EXTENSIBLE:
        tag = _subformat(content)
    if bits not in _BITS.get(tag, ()):
        raise WavError(f"format {tag:#06x} with {bits} bits is none of PCM 8-32 bit and G.711")
    if not 1 <= channels <= _MAX_CHANNELS:
        raise WavError(f"one or two channels can be read, not {channels}")
    if not 1 <= rate <= _MAX_RATE:
        raise WavError(f"a sample rate is 1 to {_MAX_RATE} Hz, not {rate}")
    layout = _Layout(tag, channels, rate, bits)
    if frame_bytes != layout.frame_bytes:
        raise WavError(f"{channels} x {bits} bits do not take {frame_bytes} bytes")
    return layout


def _subformat(content: bytes) -> int:
    if len(content) < 40 or content[26:40] != _SUBFORMAT_TAIL:
        raise WavError("the extensible format names no known encoding")
    return int.from_bytes(content[24:26], "little")


def _channels(content: bytes, layout: _Layout) -> tuple[bytes, ...]:
    if len(content) % layout.frame_bytes:
        raise WavError("the data end in the middle of a sample")
    interleaved = to_int16(_pcm16(content, layout))
    if layout.channels == 1:
        return (interleaved.tobytes(),)
    return tuple(interleaved[at :: layout.channels].tobytes() for at in range(layout.channels))


def _pcm16(content: bytes, layout: _Layout) -> bytes:
    if layout.tag == _ALAW:
        return alaw_to_pcm(content)
    if layout.tag == _MULAW:
        return mulaw_to_pcm(content)
    raw = np.frombuffer(content, np.uint8)
    if layout.bits == 8:  # the only depth that is unsigned
        return ((raw.astype("<i2") - 128) * 256).astype("<i2").tobytes()
    return raw.reshape(-1, layout.bits // 8)[:, -2:].tobytes()


_TAGS = {Encoding.PCM16: _PCM, Encoding.ALAW: _ALAW, Encoding.MULAW: _MULAW}


def wav_header(audio: AudioFormat, channels: int, data_bytes: int | None = None) -> bytes:
    """What stands before the data of a file; its length is the same for every ``data_bytes``.

    Args:
        audio: Of each channel.
        data_bytes: Size of the data, an even number; ``None``: not known yet. Most readers then
            read to the end of the file.
    """
    frame = channels * audio.sample_bytes
    bits = 8 * audio.sample_bytes
    rate = audio.sample_rate
    layout = struct.pack(
        "<HHIIHH", _TAGS[audio.encoding], channels, rate, rate * frame, frame, bits
    )
    head = _chunk(b"fmt ", layout)
    if audio.encoding is not Encoding.PCM16:  # other encodings tell the number of samples, too
        samples = 0 if data_bytes is None else data_bytes // frame
        head = _chunk(b"fmt ", layout + bytes(2)) + _chunk(b"fact", struct.pack("<I", samples))
    size = _UNKNOWN_SIZE if data_bytes is None else data_bytes
    riff = min(len(b"WAVE") + len(head) + 8 + size, _UNKNOWN_SIZE)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + head + struct.pack("<4sI", b"data", size)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content


def write_wav(
    target: str | os.PathLike[str] | BinaryIO, sample_rate: int, *channels: bytes
) -> None:
    """Write PCM16; the shorter of two channels is filled up with silence.

    Args:
        target: A path, or a file open for writing (which stays open).
        sample_rate: Hertz.
        channels: One (mono) or two (left, right).

    Raises:
        ValueError: There are no channels or more than two, or the rate is out of range.
        OSError: The file cannot be written.
    """
    if not 1 <= len(channels) <= _MAX_CHANNELS:
        raise ValueError(f"one or two channels can be written, not {len(channels)}")
    if not 1 <= sample_rate <= _MAX_RATE:
        raise ValueError(f"a sample rate is 1 to {_MAX_RATE} Hz, not {sample_rate}")
    if isinstance(target, str | os.PathLike):
        with Path(target).open("wb") as file:
            _write(file, sample_rate, channels)
    else:
        _write(target, sample_rate, channels)


def _write(file: BinaryIO, sample_rate: int, channels: tuple[bytes, ...]) -> None:
    with wave.open(file, "wb") as writer:
        writer.setnchannels(len(channels))
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(_interleaved(channels))


def _interleaved(channels: tuple[bytes, ...]) -> bytes:
    if len(channels) == 1:
        return whole_samples(channels[0])
    length = max(len(whole_samples(channel)) for channel in channels)
    filled = [whole_samples(channel).ljust(length, b"\0") for channel in channels]
    return np.stack([to_int16(channel) for channel in filled], axis=1).tobytes()
