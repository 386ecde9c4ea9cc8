"""PCM16 as bytes and as numbers: arrays, levels, gain, fades.

Bytes are signed 16 bit, little-endian, one channel. No function minds an odd number of them: half
a sample at the end is left out. Levels are in dBFS: 0 is a peak of 32,768, silence is ``-inf``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768
"""The magnitude that is 1.0 as a float and 0 dBFS as a level."""

Int16Array = NDArray[np.int16]
FloatArray = NDArray[np.float32]

_LITTLE_ENDIAN = np.dtype("<i2")


def whole_samples(pcm: bytes) -> bytes:
    """``pcm`` without a lone last byte; the same object when there is none."""
    return pcm[:-1] if len(pcm) & 1 else pcm


def to_int16(pcm: bytes) -> Int16Array:
    """The samples as integers: a read-only view, nothing is copied."""
    return np.frombuffer(pcm, _LITTLE_ENDIAN, count=len(pcm) // 2)


def from_int16(samples: Int16Array) -> bytes:
    """Integers as bytes."""
    return samples.astype(_LITTLE_ENDIAN, copy=False).tobytes()


def to_float(pcm: bytes) -> FloatArray:
    """The samples as 32-bit floats, -1.0 up to just under 1.0."""
    return to_int16(pcm).astype(np.float32) * np.float32(1 / FULL_SCALE)


def from_float(samples: NDArray[np.floating] | Sequence[float]) -> bytes:
    """Floats as PCM16: rounded to the nearest, what is beyond ±1.0 clipped, NaN made silence."""
    limited = np.clip(np.nan_to_num(np.asarray(samples, np.float64), nan=0.0), -1.0, 1.0)
    return saturate(limited * FULL_SCALE)


def saturate(samples: NDArray[np.float64]) -> bytes:
    """Numbers on the scale of PCM16 as bytes: rounded to the nearest, clipped, never wrapped."""
    whole = np.rint(samples)
    np.minimum(whole, FULL_SCALE - 1, out=whole)
    np.maximum(whole, -FULL_SCALE, out=whole)
    return whole.astype(_LITTLE_ENDIAN).tobytes()


def gain(pcm: bytes, decibels: float) -> bytes:
    """``pcm`` made louder (or, below 0, softer); what would not fit is clipped."""
    if decibels == 0:
        return whole_samples(pcm)
    return saturate(to_int16(pcm).astype(np.float64) * 10.0 ** (decibels / 20))


def fade_edges(pcm: bytes, sample_rate: int, milliseconds: float = 5) -> bytes:
    """``pcm`` with a raised-cosine ramp at both ends, so that it starts and stops without a click.

    Audio shorter than two ramps gets two of half its length.
    """
    samples = to_int16(pcm).astype(np.float64)
    length = min(int(sample_rate * milliseconds / 1000), len(samples) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(length, 1))
    samples[:length] *= ramp
    samples[len(samples) - length :] *= ramp[::-1]
    return saturate(samples)


def trim_silence(
    pcm: bytes,
    sample_rate: int,
    *,
    lead_ms: float,
    tail_ms: float,
    threshold_dbfs: float = -50,
) -> bytes:
    """``pcm`` with at most ``lead_ms`` of silence before its sound and ``tail_ms`` after it.

    Silence is what stays below ``threshold_dbfs`` (RMS) over 10 ms. All of it, if there is no
    sound at all.
    """
    window = max(1, sample_rate // 100)
    samples = to_int16(pcm)
    blocks = samples[: len(samples) // window * window].reshape(-1, window).astype(np.float64)
    limit = (FULL_SCALE * 10 ** (threshold_dbfs / 20)) ** 2
    sounding = np.flatnonzero((blocks**2).mean(axis=1) >= limit)
    if not len(sounding):
        return pcm
    begin = max(0, int(sounding[0]) * window - int(sample_rate * lead_ms / 1000))
    end = (int(sounding[-1]) + 1) * window + int(sample_rate * tail_ms / 1000)
    return from_int16(samples[begin:end])


def peak_dbfs(pcm: bytes) -> float:
    """The level of the loudest sample, in dBFS: at most 0."""
    samples = to_int16(pcm)
    if not len(samples):
        return -math.inf
    return _decibels(float(max(int(samples.max()), -int(samples.min()))))


def rms_dbfs(pcm: bytes) -> float:
    """The mean level, in dBFS: -3.01 for a sine at full scale."""
    samples = to_int16(pcm).astype(np.float64)
    if not len(samples):
        return -math.inf
    return _decibels(math.sqrt(float(samples @ samples) / len(samples)))


def _decibels(magnitude: float) -> float:
    return 20 * math.log10(magnitude / FULL_SCALE) if magnitude else -math.inf
