"""Choosing a codec by the stream's encoding."""

from __future__ import annotations

import pytest

from exobridge_codecs.codec import decoder, encoder
from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_codecs.g711 import alaw_to_pcm, mulaw_to_pcm, pcm_to_alaw, pcm_to_mulaw


def test_g711_streams_get_their_law() -> None:
    """Each encoding has its own pair of functions."""
    assert (decoder(Encoding.MULAW), encoder(Encoding.MULAW)) == (mulaw_to_pcm, pcm_to_mulaw)
    assert (decoder(Encoding.ALAW), encoder(Encoding.ALAW)) == (alaw_to_pcm, pcm_to_alaw)


def test_pcm_is_not_even_copied() -> None:
    """Linear audio comes back as the same object, both ways."""
    pcm = bytes(range(256))
    assert decoder(Encoding.PCM16)(pcm) is pcm
    assert encoder(Encoding.PCM16)(pcm) is pcm


@pytest.mark.parametrize("encoding", Encoding)
def test_every_encoding_makes_frames_of_its_size(encoding: Encoding) -> None:
    """20 ms of PCM16 become one frame of the format, and 20 ms of PCM16 again."""
    frame = encoder(encoding)(bytes(320))
    assert len(frame) == AudioFormat(encoding, 8000).frame_bytes
    assert len(decoder(encoding)(frame)) == 320
