"""The caller's audio that speech-to-text has not answered yet, so that another can hear it again.

Pure: frames and requests go in, answers take them out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

MAX_FRAMES = 3000
"""A minute of it, in frames of 20 ms: beyond, the oldest is lost. A turn is mostly shorter."""

LEAD_FRAMES = 25
"""Half a second is kept of what no request is under way for: words may have begun in it."""

LOOK_EVERY = 50
"""Frames of speech after which it is looked at again whether it goes on: once a second."""

Entry = bytes | None
"""A frame; ``None``: the text of everything before was asked for."""


class Journal:
    """Frames and requests in their order.

    Args:
        speaking: Whether the latest frame belongs to a segment of speech.

    Attributes:
        requests: How many of them wait for their answer.
    """

    __slots__ = ("_begins", "_entries", "_room", "_speaking", "requests")

    def __init__(self, speaking: Callable[[], bool]) -> None:
        self._speaking = speaking
        self._entries: deque[Entry] = deque()
        self._begins = 0
        self._room = LEAD_FRAMES
        self.requests = 0

    def heard(self, frame: bytes) -> None:
        """A frame of the caller."""
        self._entries.append(frame)
        if len(self._entries) > self._room:
            self._make_room()

    def _make_room(self) -> None:
        if self.requests or self._speaking():
            self._trim(MAX_FRAMES)
            self._room = min(MAX_FRAMES, len(self._entries) + LOOK_EVERY)
        else:
            self._trim(LEAD_FRAMES)

    def asked(self) -> None:
        """The text of everything so far was asked for."""
        self._entries.append(None)
        self.requests += 1

    def answered(self) -> None:
        """The oldest request was answered: what was before it is done with."""
        while self.requests:
            self._begins += 1
            if self._entries.popleft() is None:
                self.requests -= 1
                break
        self._room = LEAD_FRAMES

    def told(self) -> None:
        """Text came that nobody had asked for: what was heard by then is done with, the latest
        apart, which the text may not hold yet."""
        if not self.requests:
            self._trim(LEAD_FRAMES)

    def _trim(self, limit: int) -> None:
        while len(self._entries) > limit and self._entries[0] is not None:
            self._begins += 1
            self._entries.popleft()
        self._room = LEAD_FRAMES

    @property
    def is_empty(self) -> bool:
        """Nothing is kept."""
        return not self._entries

    @property
    def begins(self) -> int:
        """The place of the oldest entry, counted from the beginning of the call."""
        return self._begins

    def since(self, place: int, most: int) -> Sequence[Entry]:
        """Entries from a place on."""
        start = max(0, place - self._begins)
        return tuple(islice(self._entries, start, start + most))
