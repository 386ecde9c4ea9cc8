"""When the bot says "one moment": the answer, or a tool it waits for, takes longer than a limit.

Pure, ``now`` in seconds of any steady clock.
"""

from __future__ import annotations

AGAIN_S = 8.0
"""Silence after a line, a filler or one of the answer's own, until the next filler, in seconds."""

MOST = 2
"""Fillers in one answer: a third would not comfort anybody."""


class Filler:
    """The wait for one answer after the other.

    Args:
        after_s: Silence until the first filler, in seconds; 0: there are none.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._left = 0
        self._at: float | None = None

    def asked(self, now: float) -> None:
        """The dialogue was given a turn: the caller waits."""
        self._left = MOST if self._after_s else 0
        self._wait(now, self._after_s)

    def answered(self) -> None:
        """The caller waits no more: audio of the answer, or of a filler, is there, or the answer is
        over, was dropped, or ends the call."""
        self._at = None

    def silent(self, now: float) -> None:
        """All that was to be said has been played, and the answer goes on."""
        self._wait(now, AGAIN_S)

    def due(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        return self._at

    def tick(self, now: float, *, caller_speaking: bool) -> bool:
        """Time has passed.

        Returns:
            Whether the filler is to be said now. A caller who speaks is not talked over.
        """
        if self._at is None or now < self._at:
            return False
        if caller_speaking:
            self._wait(now, self._after_s)
            return False
        self._left -= 1
        self._at = None
        return True

    def _wait(self, now: float, seconds: float) -> None:
        self._at = now + seconds if self._left else None
