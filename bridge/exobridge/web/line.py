"""The socket of one call, as a call's :class:`~exobridge.call.plan.Line`.

``send`` is a plain call. While the peer does not read, what is sent is kept in order, bounded; a
peer that does not read for too long, or lets too much wait, is cut off.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from exobridge.web.protocol import MediaProtocol

MAX_WAITING = 256
"""Text frames kept for a peer that does not read."""

ABNORMAL = 1006
"""No close frame came (RFC 6455, section 7.1.5)."""

NO_CODE = 1005
"""A close frame without a code, in that section; uvicorn says it of a connection that broke."""


class SocketLine:
    """An accepted WebSocket.

    Args:
        protocol: Its protocol.
        send_seconds: How long a peer may not read before the line is given up.
    """

    def __init__(self, protocol: MediaProtocol, send_seconds: float) -> None:
        self._protocol = protocol
        self._send_seconds = send_seconds
        self._loop = asyncio.get_running_loop()
        self._on_text: Callable[[bytes], None] | None = None
        # What came with the handshake, before the loop's next turn; at most one read of the socket.
        self._early: list[bytes] | None = []
        self._waiting: deque[str] = deque()
        self._deadline: asyncio.TimerHandle | None = None
        self._ended = False
        self._code: asyncio.Future[int] = self._loop.create_future()
        protocol.take_over(self)

    # -------------------------------------------------------------- in

    async def listen(self, on_text: Callable[[bytes], None]) -> int:
        """Hand every text frame to ``on_text`` until the socket closes; the close code."""
        self._on_text = on_text
        early, self._early = self._early or [], None
        for message in early:
            self.received(message)
        try:
            return await self._code
        finally:
            self._on_text = None

    def received(self, message: bytes) -> None:
        """As :class:`~exobridge.web.protocol.Taker`."""
        if self._early is not None:
            self._early.append(message)
        if self._on_text is None:
            return
        try:
            self._on_text(message)
        except Exception as error:  # the call's to deal with, which is told by `listen`
            self._on_text = None
            if not self._code.done():
                self._code.set_exception(error)

    def closed(self, code: int) -> None:
        """As :class:`~exobridge.web.protocol.Taker`."""
        self._finish(ABNORMAL if code == NO_CODE else code)

    def _finish(self, code: int) -> None:
        self._ended = True
        self._waiting.clear()
        self._set_deadline(None)
        if not self._code.done():
            self._code.set_result(code)

    # -------------------------------------------------------------- out

    def send(self, text: str) -> None:
        """Send a text frame, in order. Never waits; after the end nothing happens."""
        if self._ended:
            return
        if not self._waiting and not self._protocol.stalled:
            self._protocol.send_text(text)
            return
        self._waiting.append(text)
        if len(self._waiting) > MAX_WAITING:
            self._give_up()
        elif self._deadline is None:
            self._set_deadline(self._send_seconds)

    def writable(self) -> None:
        """As :class:`~exobridge.web.protocol.Taker`."""
        self._set_deadline(None)
        while self._waiting and not self._protocol.stalled:
            self._protocol.send_text(self._waiting.popleft())
        if self._waiting:
            self._set_deadline(self._send_seconds)

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None
        if seconds is not None:
            self._deadline = self._loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self._finish(ABNORMAL)
        self._protocol.abort()

    def close(self, code: int) -> None:
        """Close the socket; once it has ended, nothing happens. A peer that has not read what was
        sent before is not waited for."""
        if self._ended:
            return
        self._finish(code)
        if self._protocol.stalled:
            self._protocol.abort()
        else:
            self._protocol.send_close(code)
