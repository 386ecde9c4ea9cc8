"""Presigned URLs: which of them work, and for which call."""

from __future__ import annotations

import secrets
from collections.abc import Callable

MAX_MARKS = 10_000
"""That are remembered; then the oldest works no more."""


class Signatures:
    """The marks of presigned URLs.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._marks: dict[str, tuple[str, float]] = {}

    def new(self, call_sid: str, seconds: float) -> str:
        """A mark for this call, that works for so long."""
        while len(self._marks) >= MAX_MARKS:
            del self._marks[next(iter(self._marks))]
        mark = secrets.token_hex(16)
        self._marks[mark] = call_sid, self._clock() + seconds
        return mark

    def latest(self, call_sid: str) -> str | None:
        """The call's newest mark that works."""
        marks = (mark for mark in reversed(self._marks) if self.works(mark, call_sid))
        return next(marks, None)

    def works(self, mark: str, call_sid: str) -> bool:
        """Whether it is a mark of this call, and its time is not over."""
        found = self._marks.get(mark)
        return found is not None and found[0] == call_sid and self._clock() < found[1]
