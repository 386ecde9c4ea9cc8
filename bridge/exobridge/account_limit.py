"""Exotel's own limit of streams at once: asked for now and then, for the whole server.

Above the limit Exotel takes a call and fails its stream (``Streaming_call_throttled``): the caller
would hear nothing. So such a call is refused before, as any other above ``MAX_CALLS``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from exobridge.exotel.api import ActiveStreams, ExotelApi, ExotelError

STALE_AFTER = 3
"""Periods after which an answer is too old to be heeded: calls that have ended elsewhere since
shall not keep callers out."""

Heed = Callable[[int, int | None, float], None]
"""Told the open streams, the limit, and for how many seconds that is to be heeded."""

_log = structlog.stdlib.get_logger("exobridge")


class AccountWatch:
    """Asks Exotel how many streams the account has open.

    Args:
        heed: Told what Exotel says.
        period_seconds: Between two questions; 0: none is asked.

    Attributes:
        latest: What Exotel said last; ``None``: nothing yet, or nothing the last time.
        asked: As :attr:`~exobridge.exotel.api.ExotelApi.asked`.
    """

    def __init__(self, api: ExotelApi, heed: Heed, period_seconds: float) -> None:
        self._api = api
        self._heed = heed
        self._period = period_seconds
        self._is_silent = False
        self._is_full = False
        self._asking: asyncio.Task[None] | None = None
        self.latest: ActiveStreams | None = None
        self.asked = api.asked

    def start(self) -> None:
        """Begin to ask, beside the serving."""
        if self._period:
            self._asking = asyncio.create_task(self._ask_on())

    async def aclose(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _ask_on(self) -> None:
        while True:
            await self._ask()
            await asyncio.sleep(self._period)

    async def _ask(self) -> None:
        try:
            self.latest = told = await self._api.active_streams()
        except ExotelError as error:
            self.latest = None
            if not self._is_silent:
                _log.warning("exotel streams unknown", error=str(error))
            self._is_silent = True
            return
        if self._is_silent:
            _log.info("exotel streams known", active=told.active, limit=told.limit)
        self._is_silent = False
        self._heed(told.active, told.limit, STALE_AFTER * self._period)
        was_full, self._is_full = self._is_full, told.free == 0
        if self._is_full and not was_full:
            _log.warning("exotel streams used up", active=told.active, limit=told.limit)
