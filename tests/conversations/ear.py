"""The caller's ear: Exotel's playout buffer, and what of the bot's takes comes out of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exobridge.simulator.playout import Playout
from exobridge_codecs.formats import pcm16
from tests.conversations.numbered import RATE, Run, read


class BotEar:
    """Hears the bot.

    Attributes:
        runs: What was heard, in order.
        clears: When the bot had the buffer cleared, in ms.
    """

    def __init__(self, *, marks_after_clear: bool) -> None:
        self.playout = Playout(pcm16(RATE), marks_after_clear=marks_after_clear)
        self.runs: list[Run] = []
        self.clears: list[float] = []
        self._half: NDArray[np.int16] = np.empty(0, np.int16)
        self._end = 0

    def advance(self, now_ms: float) -> None:
        """Hear what was played until now."""
        for heard in self.playout.advance(now_ms):
            samples = np.frombuffer(heard.audio, np.int16)
            half = self._half if heard.start == self._end else self._half[:0]
            self._end = heard.start + len(samples)
            if len(half):
                samples = np.concatenate([half, samples])
            self._half = samples[-1:] if samples[-1] < 0 else samples[:0]
            for run in read(samples, heard.start - len(half)):
                self._add(run)

    def _add(self, run: Run) -> None:
        last = self.runs[-1] if self.runs else None
        if (
            last is not None
            and (last.take, last.after) == (run.take, run.first)
            and run.start_ms - last.end_ms < 1.0
        ):
            last.after, last.end_ms = run.after, run.end_ms
        else:
            self.runs.append(run)

    def clear(self, now_ms: float) -> None:
        """Drop what has not been played."""
        self.advance(now_ms)
        self.playout.clear(now_ms)
        self.clears.append(now_ms)

    def first_heard_ms(self, since_ms: float) -> float | None:
        """When the bot first was audible at or after ``since_ms``."""
        found: float | None = None
        for run in reversed(self.runs):
            if run.end_ms <= since_ms:
                break
            found = max(run.start_ms, since_ms)
        return found

    @property
    def last_heard_ms(self) -> float:
        """When the bot was audible last; 0: never."""
        return self.runs[-1].end_ms if self.runs else 0.0
