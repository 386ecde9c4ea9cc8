"""Both sides of a stream on one time line. Pure: times are milliseconds since the stream began.

The caller's audio comes without a gap, and its place is the number of its samples; where it stays
behind the clock for longer than a held-up line can explain, some was lost, and silence takes its
place. The bot's audio has the time at which it is heard. What may still be cut is not given out.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from exobridge_codecs.pcm import to_int16

JOINT_MS = 3.0
"""A chunk that begins so close to the last one's end follows it: its time was rounded."""

LOST_MS = 100.0
"""So far the caller's audio may lag behind the clock: frames on their way."""

LOST_LOOKS = 6
"""Looks in a row at which it must lag, to have been lost: one a second, and a line that is silent
for five seconds is dead."""

AHEAD_MS = 10_000.0
"""So far the caller's audio may run ahead of the clock; what goes beyond is no phone line's."""


class Mix:
    """One stream's.

    Args:
        sample_rate: Hertz.
        heard_from_ms: Where the caller's audio begins.
    """

    def __init__(self, sample_rate: int, heard_from_ms: float = 0.0) -> None:
        self._rate = sample_rate
        self._given = 0  # samples so far; where both buffers begin
        self._caller = bytearray(2 * self._samples(max(0.0, heard_from_ms)))
        self._bot = bytearray()
        self._lags: deque[float] = deque(maxlen=LOST_LOOKS)

    def _samples(self, ms: float) -> int:
        return round(ms * self._rate / 1000)

    def hear(self, pcm: bytes) -> None:
        """The caller's next audio, PCM16."""
        self._caller += pcm

    def play(self, at_ms: float, pcm: bytes) -> None:
        """The bot's audio, PCM16, that the caller hears from ``at_ms`` on."""
        begin = self._samples(at_ms) - self._given
        end = len(self._bot) // 2
        if abs(begin - end) <= self._samples(JOINT_MS):
            begin = end
        if begin < 0:  # given out as silence already
            pcm = pcm[-2 * begin :]
            begin = 0
        del self._bot[2 * begin :]
        self._bot += bytes(2 * begin - len(self._bot))
        self._bot += pcm

    def cut(self, at_ms: float) -> None:
        """The caller hears nothing of the bot from ``at_ms`` on."""
        del self._bot[2 * max(0, self._samples(at_ms) - self._given) :]

    def take(self, now_ms: float) -> bytes:
        """What is certain at ``now_ms``, both sides interleaved. To be called once a second."""
        now = self._samples(now_ms) - self._given
        lag = now - len(self._caller) // 2
        self._lags.append(lag)
        lost = min(self._lags)
        if len(self._lags) == LOST_LOOKS and lost > self._samples(LOST_MS):
            self._caller += bytes(2 * int(lost))
            self._lags.clear()
        elif lag < -self._samples(AHEAD_MS):
            del self._caller[2 * (now + self._samples(AHEAD_MS)) :]
        return self._give(min(now, len(self._caller) // 2))

    def finish(self, end_ms: float) -> bytes:
        """All that is left of a stream that ended at ``end_ms``."""
        end = max(0, self._samples(end_ms) - self._given)
        return self._give(min(end, max(len(self._caller), len(self._bot)) // 2))

    def _give(self, samples: int) -> bytes:
        if samples <= 0:
            return b""
        size = 2 * samples
        sides = [bytes(side[:size]).ljust(size, b"\0") for side in (self._caller, self._bot)]
        del self._caller[:size]
        del self._bot[:size]
        self._given += samples
        return np.stack([to_int16(side) for side in sides], axis=1).tobytes()
