"""Where a track sounds."""

from __future__ import annotations

import numpy as np

from exobridge_codecs.pcm import to_int16

STEP_MS = 5
LOUD = 500.0
"""A step is loud above this mean magnitude; the tones of the fakes are far above."""

APART_MS = 60
"""Parts that are nearer to each other are one."""


def parts(pcm: bytes, sample_rate: int = 8000) -> list[tuple[int, int]]:
    """Begin and end of each loud part, in milliseconds."""
    step = sample_rate * STEP_MS // 1000
    samples = np.abs(to_int16(pcm).astype(np.float64))
    levels = samples[: len(samples) // step * step].reshape(-1, step).mean(axis=1)
    found: list[tuple[int, int]] = []
    for index in np.flatnonzero(levels > LOUD):
        begin = int(index) * STEP_MS
        if found and begin - found[-1][1] < APART_MS:
            found[-1] = (found[-1][0], begin + STEP_MS)
        else:
            found.append((begin, begin + STEP_MS))
    return found
