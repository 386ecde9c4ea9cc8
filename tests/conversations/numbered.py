"""The bot's audio, every two samples of which say what they are.

The first of a pair is the number of its take, negative; the second is the pair's own number in the
take. Silence and padding are zeros. So the ear can tell of each sample whose it is, and finds each
one that is missing or comes twice. The line must be PCM16: mu-law would lose the low bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

RATE = 8000
PAIRS_PER_MS = RATE / 2000
MAX_PAIRS = 32_768


@dataclass(slots=True)
class Take:
    """One text as it was made into audio, once.

    Attributes:
        text: So far; its audio may have been asked for in pieces.
        pairs: Length so far, in pairs of samples.
        asked: How many turns the dialogue had been given when it was begun.
    """

    number: int
    asked: int
    text: str = ""
    pairs: int = 0

    def audio(self, first: int, pairs: int) -> bytes:
        """Some of it, PCM16 at 8 kHz."""
        samples = np.empty(2 * pairs, np.int16)
        samples[0::2] = -self.number
        samples[1::2] = np.arange(first, first + pairs, dtype=np.int16)
        return samples.tobytes()


@dataclass(slots=True)
class Run:
    """Audio of one take that was heard without a break, in ms since the stream began.

    Attributes:
        first, after: The pairs heard: from ``first`` up to, and without, ``after``.
    """

    take: int
    first: int
    after: int
    start_ms: float
    end_ms: float


def read(samples: NDArray[np.int16], start: int) -> list[Run]:
    """The takes in audio whose first sample has the position ``start``; a half pair at its end is
    left out."""
    heads = np.flatnonzero(samples[:-1] < 0)
    if not len(heads):
        return []
    takes, pairs = -samples[heads].astype(np.int32), samples[heads + 1].astype(np.int32)
    jumps = (np.diff(takes) != 0) | (np.diff(pairs) != 1) | (np.diff(heads) != 2)
    bounds = [0, *(np.flatnonzero(jumps) + 1).tolist(), len(heads)]
    return [
        Run(
            int(takes[begin]),
            int(pairs[begin]),
            int(pairs[end - 1]) + 1,
            (start + int(heads[begin])) * 1000 / RATE,
            (start + int(heads[end - 1]) + 2) * 1000 / RATE,
        )
        for begin, end in pairwise(bounds)
    ]
