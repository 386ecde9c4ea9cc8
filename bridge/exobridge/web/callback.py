"""``/exotel/callback/status``: Exotel tells how a call ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from exobridge.exotel.callback import read_callback
from exobridge.exotel.words import STATUSES
from exobridge.status_callbacks import StatusCallbacks
from exobridge.web.webhook import Pairs, Told, problem

ENDPOINT = "/exotel/callback/status"


class StatusEndpoint:
    """Answers once what is told has been kept: 200. Where it cannot be kept, Exotel shall send it
    again: 503, which no caller hears."""

    def __init__(self, callbacks: StatusCallbacks) -> None:
        self._callbacks = callbacks

    async def answer(self, request: Request, pairs: Pairs) -> Told:
        """In Exotel's terms."""
        callback = read_callback(pairs)
        if not await self._callbacks.take(callback):
            sorry = problem(503, "not-recorded", "the database does not take it now; send it again")
            return Told(callback.call_sid, "not-recorded", sorry)
        word = callback.status if callback.status in STATUSES else "other"
        return Told(callback.call_sid, f"recorded {word}", PlainTextResponse(""))
