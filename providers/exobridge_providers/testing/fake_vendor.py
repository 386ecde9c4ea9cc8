"""A vendor on a real socket: the ground on which each vendor's fake stands."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from http import HTTPStatus
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from exobridge_providers.testing.fake_connection import Gone, Passed, VendorConnection
from exobridge_providers.testing.fake_line import Line
from exobridge_providers.testing.faults import Fault, FaultKind, VendorError

__all__ = ["KEY_VARIABLE", "FakeVendor", "Passed", "VendorConnection"]

KEY_VARIABLE = "EXOBRIDGE_FAKE_VENDOR_KEY"
"""The environment variable in which plugins find the key of a fake."""

# The library's own logger would show the key, and a plugin would be taken for the one who tells it.
_quiet = logging.getLogger("exobridge.fake.socket")
_quiet.setLevel(logging.WARNING)

_DEAF_BYTES = 4096


class FakeVendor(ABC):
    """A vendor that speaks its documented protocol, and looks at what it is told.

    Unrealistic in that it understands and speaks :mod:`~exobridge_providers.testing.letters`, at no
    cost, and knows no TLS.

    Class attributes:
        paths: Those it serves; others get a 404, as a violation.

    Attributes:
        url: ``ws://`` and where it listens, without a path.
        key: What it takes; made up anew, so that it can be searched for where it must not be.
        faults: What goes wrong, on connections that are made from now on.
        violations: What clients did that the vendor's documents do not allow.
        received: All messages that came: the connection's number, and the message.
        connections: All that were made and let in.
        attempts: Handshakes, whatever became of them.
        open_connections: How many there are now.
        idle_seconds: Longest pause in what comes; ``None``: any. A vendor's documented one stands
            in its fake's class.
        idle_closes: How often that was too long.
        final_seconds: From a request, or the end of speech, to the final text.
        interim_seconds: From a word to its interim text.
        first_audio_seconds: From text to its first audio.
        pace: Seconds that a second of audio takes to be made: 0 is at once.
        watch: Is told each message that passes, in the vendor's own thread.
    """

    paths: tuple[str, ...] = ()
    idle_seconds: float | None = None

    def __init__(self) -> None:
        self.url = ""
        self.key = f"fake-{secrets.token_hex(16)}"
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.received: list[tuple[int, str | bytes]] = []
        self.connections: list[VendorConnection] = []
        self.attempts = 0
        self.open_connections = 0
        self.idle_closes = 0
        self.final_seconds = 0.0
        self.interim_seconds = 0.0
        self.first_audio_seconds = 0.0
        self.pace = 0.0
        self.watch: Callable[[Passed], None] | None = None
        self.closing = asyncio.Event()
        self._open: set[VendorConnection] = set()

    # -------------------------------------------------------------- what a vendor does

    @abstractmethod
    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """The key that a handshake brings. ``None``: this vendor's comes in a message, and
        :meth:`serve` looks at it.

        Args:
            headers: By lower-case name.
        """

    @abstractmethod
    async def serve(self, connection: VendorConnection) -> None:
        """Talk with a client until it leaves, which is a :class:`Gone`."""

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """How the vendor reports an error on an open connection; nothing: it only closes."""
        del error
        return ()

    def error_close(self, error: VendorError) -> tuple[int, str]:
        """Code and reason with which it closes after that."""
        return 1011 if error is VendorError.INTERNAL else 1008, ""

    def idle_limit(self, connection: VendorConnection) -> float | None:
        """Longest pause in what comes on this connection, where its client may ask for another than
        ``idle_seconds``."""
        del connection
        return self.idle_seconds

    def idle_close(self) -> tuple[int, str]:
        """Code and reason with which it closes a connection on which nothing comes."""
        return 1000, "idle"

    # -------------------------------------------------------------- the server

    def cut(self) -> None:
        """Break all lines, without a word."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for connection in list(self._open):
            connection.cut()

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Self]:
        """Serve on a free port of this machine, in a thread of its own: none of its tasks is among
        those of whoever looks for what a plugin has left behind."""
        up: Future[str] = Future()
        thread = threading.Thread(target=self._run, args=(up,), name=type(self).__name__)
        thread.start()
        try:
            self.url = await asyncio.wrap_future(up)
            yield self
        finally:
            await asyncio.wrap_future(up)
            self._loop.call_soon_threadsafe(self.closing.set)
            await asyncio.to_thread(thread.join)

    def _run(self, up: Future[str]) -> None:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(self._serve(up))

    async def _serve(self, up: Future[str]) -> None:
        self._loop = asyncio.get_running_loop()
        async with serve(
            self._handle,
            "127.0.0.1",
            0,
            process_request=self._asked,
            ping_interval=None,
            close_timeout=1,
            max_size=8 * 1024 * 1024,
            compression=None,
            logger=_quiet,
        ) as server:
            host, port = server.sockets[0].getsockname()[:2]
            up.set_result(f"ws://{host}:{port}")
            await self.closing.wait()
            self._cut()

    async def _asked(self, socket: ServerConnection, request: Request) -> Response | None:
        self.attempts += 1
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        status = await self.judged(request.path, headers, self.attempts)
        return None if status is None else _refusal(socket, status)

    async def judged(self, path: str, headers: Mapping[str, str], number: int) -> int | None:
        """Whether to let a client in.

        Args:
            path: With the query.
            headers: By lower-case name.
            number: Of the attempt.

        Returns:
            The HTTP status with which it is refused, if it is.
        """
        for fault in self.faults:
            if fault.connection not in (0, number):
                continue
            if fault.kind is FaultKind.REFUSE:
                return fault.status
            if fault.kind is FaultKind.HANG:
                await self.closing.wait()
                return 503
        place = urlsplit(path).path
        if self.paths and place not in self.paths:
            self.violations.append(f"there is no {place}")
            return 404
        key = self.key_of(path, headers)
        return 401 if key is not None and key != self.key else None

    async def _handle(self, socket: Line) -> None:
        connection = VendorConnection(self, socket, len(self.connections) + 1)
        if any(fault.kind is FaultKind.DEAF for fault in self.faults):
            # What a deaf vendor's machine takes for it is megabytes, where nobody says otherwise.
            ear = socket.transport.get_extra_info("socket")
            ear.setsockopt(SOL_SOCKET, SO_RCVBUF, _DEAF_BYTES)
        self.connections.append(connection)
        self._open.add(connection)
        self.open_connections += 1
        writing = asyncio.create_task(connection.write())
        try:
            await self.serve(connection)
        except Gone:
            pass
        finally:
            connection.end()
            if not self.closing.is_set():
                await asyncio.wait([writing], timeout=1)
            writing.cancel()
            self._open.discard(connection)
            self.open_connections -= 1


def _refusal(socket: ServerConnection, status: int) -> Response:
    return socket.respond(HTTPStatus(status), "refused by the fake\n")
