"""Sarvam's audio, which must be what was asked for: a file's header would be heard as a click, and
another encoding as noise. Pure."""

from __future__ import annotations

import struct

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.errors import ProviderProtocolError

_FILES = ("mpeg", "mp3", "aac", "opus", "ogg", "flac")
"""Parts of a content type that say that the audio is compressed."""
_TAGS = {Encoding.PCM16: 1, Encoding.ALAW: 6, Encoding.MULAW: 7}
"""Of a WAV file's format."""


def raw(audio: bytes, content_type: object, wanted: AudioFormat, provider: str) -> bytes:
    """The audio without the header of a WAV file, where it has one.

    Args:
        content_type: What the vendor calls it; it may be missing.

    Raises:
        ProviderProtocolError: It is something else than was asked for.
        ValueError: Its header is damaged.
    """
    if any(each in str(content_type).lower() for each in _FILES):
        raise ProviderProtocolError(
            f"{provider} sends compressed audio though it was asked for raw", provider=provider
        )
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        return audio
    at = 12
    while at + 8 <= len(audio):
        name, size = struct.unpack_from("<4sI", audio, at)
        at += 8
        if name == b"data":
            return audio[at : at + size] if size else audio[at:]
        if name == b"fmt ":
            _check(struct.unpack_from("<HHI", audio.ljust(at + 8, b"\0"), at), wanted, provider)
        at += size + size % 2
    raise ValueError("a WAV file's header without data")


def _check(found: tuple[int, int, int], wanted: AudioFormat, provider: str) -> None:
    if found != (_TAGS[wanted.encoding], 1, wanted.sample_rate):
        tag, channels, rate = found
        raise ProviderProtocolError(
            f"{provider} sends audio of format {tag} with {channels} channels at {rate} Hz though "
            f"it was asked for {wanted.encoding} at {wanted.sample_rate} Hz",
            provider=provider,
        )
