"""The ASGI socket of one call, as a call's :class:`~exobridge.call.plan.Line`.

``send`` is a plain call. uvicorn's ``send`` is a coroutine that finishes without waiting while the
peer reads, so it is run on the spot; only when it has to wait does a task finish it. What is sent
meanwhile is kept in order, bounded, and a peer that does not read for too long ends the line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any

from starlette.types import Message, Receive, Send

MAX_WAITING = 256
"""Text frames kept for a peer that does not read."""

ABNORMAL = 1006
"""No close frame came (RFC 6455, section 7.1.5)."""

NO_CODE = 1005
"""A close frame without a code, in that section; uvicorn says it of a connection that broke."""


class AsgiLine:
    """An accepted WebSocket.

    Args:
        receive, send: As the ASGI server gave them.
        send_seconds: How long a peer may not read before the line is given up.
    """

    def __init__(self, receive: Receive, send: Send, send_seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._send_seconds = send_seconds
        self._waiting: deque[str] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._ended = False
        self._gone = False
        self._gave_up = asyncio.Event()

    def send(self, text: str) -> None:
        """Send a text frame, in order. Never waits; after the end nothing happens."""
        if self._ended:
            return
        if self._sender is not None:
            self._waiting.append(text)
            if len(self._waiting) > MAX_WAITING:
                self._give_up()
            return
        sending: Any = self._send({"type": "websocket.send", "text": text})
        try:
            pending = sending.send(None)
        except StopIteration:
            return
        except Exception:  # the server's own error for a peer that has gone
            self._give_up()
            return
        self._sender = asyncio.create_task(self._finish(_Begun(sending, pending)))

    async def _finish(self, begun: _Begun) -> None:
        try:
            async with asyncio.timeout(self._send_seconds):
                await begun
            while self._waiting:
                async with asyncio.timeout(self._send_seconds):
                    await self._send({"type": "websocket.send", "text": self._waiting.popleft()})
        except Exception:  # a time-out, or the server's own error for a peer that has gone
            self._give_up()
        finally:
            self._sender = None

    def _give_up(self) -> None:
        self._ended = self._gone = True
        self._waiting.clear()
        self._gave_up.set()

    async def listen(self, on_text: Callable[[str], None]) -> int:
        """Hand every text frame to ``on_text`` until the socket closes; the close code."""
        reading = asyncio.create_task(self._read(on_text))
        giving_up = asyncio.create_task(self._gave_up.wait())
        try:
            await asyncio.wait({reading, giving_up}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else ABNORMAL
        finally:
            self._ended = True
            for task in (reading, giving_up):
                task.cancel()
            await asyncio.gather(reading, giving_up, return_exceptions=True)

    async def _read(self, on_text: Callable[[str], None]) -> int:
        receive = self._receive
        while True:
            message: Message = await receive()
            text = message.get("text")
            if text is not None:
                on_text(text)
            elif message["type"] == "websocket.disconnect":
                self._gone = True
                code = int(message.get("code") or NO_CODE)
                return ABNORMAL if code == NO_CODE else code
            # A binary frame is none of Exotel's; it is passed over.

    async def close(self, code: int) -> None:
        """Close the socket; if the peer has gone, or for a second time, nothing happens."""
        self._ended = True
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait([self._sender])
        if self._gone:
            return
        with suppress(Exception):  # the peer may have gone in between
            async with asyncio.timeout(self._send_seconds):
                await self._send({"type": "websocket.close", "code": code})
        self._gone = True


class _Begun:
    """A coroutine that was run up to its first wait, to be awaited to its end."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], pending: Any) -> None:
        self._coroutine = coroutine
        self._pending = pending

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            yield self._pending
        except BaseException:
            self._coroutine.close()
            raise
        yield from self._coroutine.__await__()
