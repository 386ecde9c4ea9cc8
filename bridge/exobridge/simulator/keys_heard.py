"""Keys that a bot sends as tones (ITU-T Q.23), found in what the caller heard. Pure.

A key is a pair of tones, one of each group, that hold nearly all the power of 40 ms or more and
are about equally loud; speech is not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from exobridge_codecs.pcm import FULL_SCALE, to_int16
from exobridge_codecs.tones import DTMF_DIGITS, HIGH_GROUP_HZ, LOW_GROUP_HZ

_WINDOW_MS = 20
_HOP_MS = 10
_WINDOWS = 3  # so many in a row: 40 ms
_SHARE = 0.7  # of the window's power
_TWIST = 10.0  # one tone has at most so many times the other's power
_AT_ONCE = 1000  # windows
_QUIET = float((FULL_SCALE * 10 ** (-45 / 20)) ** 2)


def keys_heard(pcm: bytes, sample_rate: int) -> tuple[tuple[float, str], ...]:
    """The keys in PCM16: when each began, in ms, and which it was."""
    keys: list[tuple[float, str]] = []
    run, last = 0, ""
    for index, key in enumerate(_each_window(to_int16(pcm), sample_rate)):
        run = run + 1 if key == last else 1
        last = key
        if key and run == _WINDOWS:
            keys.append(((index + 1 - _WINDOWS) * float(_HOP_MS), key))
    return tuple(keys)


def _each_window(samples: NDArray[np.int16], sample_rate: int) -> Iterator[str]:
    size, hop = sample_rate * _WINDOW_MS // 1000, sample_rate * _HOP_MS // 1000
    if len(samples) < size:
        return
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    hertz = np.array([*LOW_GROUP_HZ, *HIGH_GROUP_HZ])
    waves = np.exp(-2j * np.pi * np.outer(np.arange(size), hertz) / sample_rate)
    for begin in range(0, len(windows), _AT_ONCE):
        some = windows[begin : begin + _AT_ONCE].astype(np.float64)
        # A sine of amplitude a has the power a²/2, and its sum with the wave is a·size/2.
        powers = 2 * np.abs(some @ waves / size) ** 2
        for each, whole in zip(powers, np.mean(some**2, axis=1), strict=True):
            yield _key(each, float(whole))


def _key(powers: NDArray[np.float64], total: float) -> str:
    if total < _QUIET:
        return ""
    low, high = int(np.argmax(powers[:4])), int(np.argmax(powers[4:]))
    weaker, stronger = sorted((float(powers[low]), float(powers[4 + high])))
    if weaker + stronger < _SHARE * total or stronger > _TWIST * weaker:
        return ""
    return DTMF_DIGITS[low * len(HIGH_GROUP_HZ) + high]
