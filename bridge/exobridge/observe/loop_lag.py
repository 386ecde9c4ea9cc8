"""How late the event loop comes to its work: what blocks it delays every call of the process."""

from __future__ import annotations

import asyncio

from exobridge.call.lateness import Lateness

PERIOD_S = 0.25
WINDOW_S = 30.0
"""The largest lag is of the window under way and the one before it."""


class LoopLag:
    """Measures by a timer.

    Attributes:
        lateness: How late it was, each time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lateness = Lateness()
        self._loop = loop
        self._most_s = self._most_before_s = 0.0
        self._window_ends = loop.time() + WINDOW_S
        self._due = loop.time() + PERIOD_S
        self._timer = loop.call_at(self._due, self._look)

    @property
    def most_s(self) -> float:
        """The largest lag lately, in seconds; of one that lasts yet, what there is of it."""
        overdue = self._loop.time() - self._due
        return max(self._most_s, self._most_before_s, overdue)

    def _look(self) -> None:
        now = self._loop.time()
        late_s = max(0.0, now - self._due)
        self.lateness.note(late_s)
        if now >= self._window_ends:
            self._most_before_s, self._most_s = self._most_s, 0.0
            self._window_ends = now + WINDOW_S
        self._most_s = max(self._most_s, late_s)
        self._due = now + PERIOD_S
        self._timer = self._loop.call_at(self._due, self._look)

    def close(self) -> None:
        """Stop."""
        self._timer.cancel()
