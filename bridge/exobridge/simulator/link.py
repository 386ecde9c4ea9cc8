"""The line between Exotel and a server: a WebSocket, and what goes wrong with it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from exobridge.simulator.line_faults import LineFaults, Way

_LINGER_NOTHING = struct.pack("ii", 1, 0)
_MAX_COMING_CHARS = 16 << 20
"""Of the server's messages that are on their way; with more the server is not read."""


def reset(transport: asyncio.BaseTransport) -> None:
    """Break a connection off: the other side is told with an RST, not with a close."""
    end: socket.socket | None = transport.get_extra_info("socket")
    if end is not None:
        with suppress(OSError):  # it is closed already
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


class Link:
    """Sends and receives as the faults allow.

    Args:
        connection: Open.
        faults: Of the line.
        now: Milliseconds since the start event.

    Attributes:
        broken: It was broken on purpose; that it ended is not the server's doing.
    """

    def __init__(
        self, connection: ClientConnection, faults: LineFaults, now: Callable[[], float]
    ) -> None:
        self.broken = False
        self._connection = connection
        self._faults = faults
        self._now = now
        self._there = Way(faults.delay_ms, faults.jitter_ms, faults.stalls, faults.seed)
        self._back = Way(faults.return_delay_ms, faults.jitter_ms, (), faults.seed + 1)
        self._sent: deque[tuple[float, str]] = deque()
        self._was_sent = asyncio.Event()
        self._came: deque[tuple[float, str | bytes]] = deque()
        self._coming_chars = 0
        self._has_come = asyncio.Event()
        self._was_taken = asyncio.Event()
        self._is_over = False  # nothing more comes
        self._returns_late = bool(faults.return_delay_ms or faults.jitter_ms)

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run beside, until it is cancelled: nothing where nothing is late."""
        works: list[Coroutine[Any, Any, None]] = []
        if self._faults.slow:
            works.append(self._deliver())
        if self._returns_late:
            works.append(self._collect())
        return works

    @property
    def behind_ms(self) -> float:
        """How long the last frame that was sent is still on its way."""
        return max(0.0, self._sent[-1][0] - self._now()) if self._sent else 0.0

    @property
    def longest_return_ms(self) -> float:
        """How long a message of the server's may be on its way, at most."""
        return self._faults.return_delay_ms + self._faults.jitter_ms

    async def send(self, text: str) -> None:
        """Send a frame; it may get lost.

        Raises:
            ConnectionClosed: The line is gone.
        """
        if await self._is_lost():
            return
        if self._faults.slow and self._connection.state is State.OPEN:
            self._sent.append((self._there.arrives(self._now()), text))
            self._was_sent.set()
        else:
            await self._connection.send(text)

    async def was_read(self) -> None:
        """Wait until the server has read what it was sent: it answers a ping behind it.

        Raises:
            ConnectionClosed: The line is gone.
        """
        if not self.broken:
            await (await self._connection.ping())

    async def recv(self) -> str | bytes:
        """The next message.

        Raises:
            ConnectionClosed: The line is gone.
        """
        if not self._returns_late:
            return await self._connection.recv()
        await self._has_come.wait()
        if not self._came:  # and nothing comes any more
            return await self._connection.recv()
        at_ms, message = self._came.popleft()
        self._coming_chars -= len(message)
        self._was_taken.set()
        if not self._came and not self._is_over:
            self._has_come.clear()
        await self._until(at_ms)
        return message

    async def _deliver(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                await self._was_sent.wait()
                while self._sent:
                    at_ms, text = self._sent[0]
                    await self._until(at_ms)
                    await self._connection.send(text)
                    self._sent.popleft()
                self._was_sent.clear()
        self._sent.clear()

    async def _collect(self) -> None:
        try:
            with suppress(ConnectionClosed):
                while True:
                    message = await self._connection.recv()
                    self._came.append((self._back.arrives(self._now()), message))
                    self._coming_chars += len(message)
                    self._has_come.set()
                    while self._coming_chars > _MAX_COMING_CHARS:
                        self._was_taken.clear()
                        await self._was_taken.wait()
        finally:
            self._is_over = True
            self._has_come.set()

    async def _until(self, at_ms: float) -> None:
        await asyncio.sleep(max(0.0, (at_ms - self._now()) / 1000))

    async def _is_lost(self) -> bool:
        """Break what is to be broken by now; ``True``: what is sent gets lost."""
        now, faults = self._now(), self._faults
        if faults.reset_at_ms is not None and now >= faults.reset_at_ms:
            await self._break()
        if faults.half_open_at_ms is None or now < faults.half_open_at_ms:
            return False
        if now >= faults.half_open_at_ms + faults.half_open_for_ms:
            await self._break()
            return False
        if not self.broken:
            self.broken = True
            self._connection.transport.pause_reading()
        return True

    async def _break(self) -> None:
        if self._connection.state is not State.CLOSED:
            self.broken = True
            reset(self._connection.transport)
            await self._connection.wait_closed()
