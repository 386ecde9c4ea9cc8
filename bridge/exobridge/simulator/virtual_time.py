"""An event loop whose clock jumps to the next timer, so that an hour of waiting takes no time.

For what waits by timers only. Sockets, threads and databases live in real time: to this loop a wait
for one of them looks like a wait for ever, which it reports instead of hanging.
"""

from __future__ import annotations

import asyncio
import selectors

START_S = 1000.0
"""Where the clock starts: a value with a fraction in binary, as a real clock's."""


class StuckError(Exception):
    """Everything waits, and no timer is set that could end it."""


class _Jump(selectors.SelectSelector):
    """Waits by moving the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; else time passes."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise StuckError
        if not ready and timeout is not None:
            self.now += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own, in seconds."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """The clock."""
        return self._jump.now

    def block(self, seconds: float) -> None:
        """Time passes as it does for code that computes: nothing else runs meanwhile."""
        self._jump.now += seconds
