"""One end of the socket pair between the supervisor and a worker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import structlog

from exobridge.cluster.messages import (
    MAX_FRAME,
    BadFrameError,
    Frames,
    FromWorker,
    ToWorker,
    encode,
)

MAX_WAITING = 2 * MAX_FRAME
"""What may wait for an other side that does not read, in bytes; beyond, it is given up."""

MessageT = TypeVar("MessageT")

_log = structlog.stdlib.get_logger("exobridge.cluster")


class Channel(asyncio.Protocol, Generic[MessageT]):
    """Sends and takes messages.

    Args:
        frames: Reads what comes.
        on_message: Told each message, in order.
        on_lost: Told once that the other side is gone, or was given up.
    """

    def __init__(
        self,
        frames: Frames[MessageT],
        on_message: Callable[[MessageT], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._frames = frames
        self._on_message = on_message
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None

    async def open(self, end: socket.socket) -> None:
        """Begin, on this end of the pair, which is closed with the channel."""
        end.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=end)

    def send(self, message: FromWorker | ToWorker) -> None:
        """Send a message. Never waits; to an other side that is gone, nothing happens."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        try:
            transport.write(encode(message))
        except BadFrameError as error:  # metrics; who waits for them has a limit
            _log.error("control message not sent", why=str(error))
        if transport.get_write_buffer_size() > MAX_WAITING:
            _log.error("control channel given up", why="the other side does not read")
            transport.abort()

    def close(self) -> None:
        """End it; ``on_lost`` is told."""
        if self._transport is not None:
            self._transport.abort()

    # -------------------------------------------------------------- told by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begun."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        try:
            for message in self._frames.feed(data):
                self._on_message(message)
        except BadFrameError as error:
            _log.error("control channel given up", why=str(error))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Over."""
        self._on_lost()
