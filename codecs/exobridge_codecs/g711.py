"""G.711, the telephone network's one byte a sample: μ-law and A-law to and from PCM16.

The work is done in C by :mod:`audioop` (in the standard library up to Python 3.12, from the
``audioop-lts`` package after that): 0.3-0.8 µs for a 20 ms frame at 8 kHz.

Decoding is ITU-T G.711 to the bit, and so is A-law encoding. μ-law encoding takes a negative
sample's magnitude as two's complement, where the reference code of ITU-T G.191 takes one's
complement: 508 of the 65,536 samples, the four loudest of each negative quantiser step but the
last, get the next louder code. The decoded value is then off by no more than one step of that
code.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # Python 3.11 and 3.12 announce its removal; audioop-lts stands in for it from 3.13 on.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import audioop

from exobridge_codecs.pcm import whole_samples

_WIDTH = 2
"""Bytes of a linear sample."""


def mulaw_to_pcm(audio: bytes) -> bytes:
    """μ-law to PCM16: twice as many bytes, full scale ±32,124."""
    return audioop.ulaw2lin(audio, _WIDTH)


def pcm_to_mulaw(pcm: bytes) -> bytes:
    """PCM16 to μ-law: half as many bytes. A lone last byte is left out."""
    return audioop.lin2ulaw(whole_samples(pcm), _WIDTH)


def alaw_to_pcm(audio: bytes) -> bytes:
    """A-law to PCM16: twice as many bytes, full scale ±32,256."""
    return audioop.alaw2lin(audio, _WIDTH)


def pcm_to_alaw(pcm: bytes) -> bytes:
    """PCM16 to A-law: half as many bytes. A lone last byte is left out."""
    return audioop.lin2alaw(whole_samples(pcm), _WIDTH)
