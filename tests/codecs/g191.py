"""G.711 as ITU-T G.191 defines it: the reference the fast code is held against.

Written from the algorithm of ``ulaw_compress``, ``ulaw_expand``, ``alaw_compress`` and
``alaw_expand`` in the ITU-T Software Tools Library. Linear samples are 16 bit, of which μ-law
uses the upper 14 and A-law the upper 12 (a sign and 13 or 11 bits of magnitude); a negative
magnitude is the one's complement. Per sample and slow on purpose.
"""

from __future__ import annotations

_BIAS = 33
_MULAW_CLIP = 0x1FFF
_ALAW_EVEN_BITS = 0x55


def mulaw_encode(sample: int) -> int:
    """One linear sample to its μ-law code."""
    magnitude = min(((~sample if sample < 0 else sample) >> 2) + _BIAS, _MULAW_CLIP)
    segment = (magnitude >> 6).bit_length() + 1
    step = (magnitude >> segment) & 0xF
    code = (8 - segment) << 4 | (0xF - step)
    return code if sample < 0 else code | 0x80


def mulaw_decode(code: int) -> int:
    """One μ-law code to the middle of its step."""
    exponent = (~code >> 4) & 7
    step = 8 << exponent
    magnitude = (0x80 << exponent) + step * (~code & 0xF) + step // 2 - 4 * _BIAS
    return magnitude if code & 0x80 else -magnitude


def alaw_encode(sample: int) -> int:
    """One linear sample to its A-law code."""
    magnitude = (~sample if sample < 0 else sample) >> 4
    exponent = 0
    if magnitude > 15:
        exponent = magnitude.bit_length() - 4
        magnitude = (magnitude >> (exponent - 1)) - 16
    code = exponent << 4 | magnitude
    return (code if sample < 0 else code | 0x80) ^ _ALAW_EVEN_BITS


def alaw_decode(code: int) -> int:
    """One A-law code to the middle of its step."""
    plain = code ^ _ALAW_EVEN_BITS
    exponent = (plain >> 4) & 7
    magnitude = (plain & 0xF) + (16 if exponent else 0)
    linear = ((magnitude << 4) + 8) << max(exponent - 1, 0)
    return linear if code & 0x80 else -linear
