"""The way of a session's events: made anywhere on the event loop, read by one task, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from exobridge_providers.errors import ProviderError

EventT = TypeVar("EventT")


class EventStream(Generic[EventT]):
    """What a session's ``events()`` returns. To be used on the event loop only.

    It does not bound itself: a session whose events weigh something waits for :meth:`room`.
    """

    def __init__(self) -> None:
        self._events: deque[EventT] = deque()
        self._changed = asyncio.Event()
        self._error: ProviderError | None = None
        self._closed = False

    def post(self, event: EventT) -> None:
        """Give out an event; after ``close`` or ``fail`` nothing happens."""
        if not self._closed and self._error is None:
            self._events.append(event)
            self._changed.set()

    def fail(self, error: ProviderError) -> None:
        """Raise ``error`` in the reader, after what was posted before."""
        if self._error is None:
            self._error = error
            self._changed.set()

    def close(self) -> None:
        """End the iteration now; what was not read is dropped."""
        self._closed = True
        self._events.clear()
        self._changed.set()

    def drop(self, unwanted: Callable[[EventT], bool]) -> None:
        """Take back the events not read yet for which ``unwanted`` is true."""
        self._events = deque(event for event in self._events if not unwanted(event))
        self._changed.set()

    async def room(self, limit: int) -> None:
        """Wait until fewer than ``limit`` events are unread, or nobody will read them."""
        while len(self._events) >= limit and not self._closed:
            self._changed.clear()
            await self._changed.wait()

    async def __aiter__(self) -> AsyncIterator[EventT]:
        while not self._closed:
            if self._events:
                self._changed.set()
                yield self._events.popleft()
            elif self._error is not None:
                raise self._error
            else:
                self._changed.clear()
                await self._changed.wait()
