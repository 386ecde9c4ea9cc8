"""From any encoding to PCM16 and back: one function a stream, chosen once.

::

    decode = decoder(stream_format.encoding)
    encode = encoder(stream_format.encoding)

Each takes and gives whole buffers and keeps nothing between calls, so a sample must not be split
over two of them (:class:`~exobridge_codecs.framing.Reframer` sees to that). PCM16 comes back as
the very object that went in.
"""

from __future__ import annotations

from collections.abc import Callable

from exobridge_codecs.formats import Encoding
from exobridge_codecs.g711 import alaw_to_pcm, mulaw_to_pcm, pcm_to_alaw, pcm_to_mulaw

Transcode = Callable[[bytes], bytes]
"""Audio in one encoding to the same audio in another."""


def _unchanged(pcm: bytes) -> bytes:
    return pcm


_DECODERS: dict[Encoding, Transcode] = {
    Encoding.PCM16: _unchanged,
    Encoding.MULAW: mulaw_to_pcm,
    Encoding.ALAW: alaw_to_pcm,
}
_ENCODERS: dict[Encoding, Transcode] = {
    Encoding.PCM16: _unchanged,
    Encoding.MULAW: pcm_to_mulaw,
    Encoding.ALAW: pcm_to_alaw,
}


def decoder(encoding: Encoding) -> Transcode:
    """The function from ``encoding`` to PCM16."""
    return _DECODERS[encoding]


def encoder(encoding: Encoding) -> Transcode:
    """The function from PCM16 to ``encoding``."""
    return _ENCODERS[encoding]
