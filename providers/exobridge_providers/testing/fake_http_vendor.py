"""A vendor that is asked over HTTP: a request is a message, and so is each piece of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from exobridge_providers.testing.fake_http import TURNS_TO_BE_TOLD
from exobridge_providers.testing.fake_vendor import FakeVendor

END = b""
"""The piece that ends an answer."""

_REFUSED = '{"error": {"message": "refused by the fake", "type": "fake", "code": null}}'


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Headers:
    """Those of a request."""

    pairs: tuple[tuple[str, str], ...]

    def raw_items(self) -> Iterable[tuple[str, str]]:
        """All of them, in order."""
        return self.pairs


@dataclass(frozen=True, slots=True)
class Head:
    """What a request begins with."""

    method: str
    path: str
    headers: Headers


class HttpLine:
    """A client's connection. Each request on it, with its answer, is a connection of the fake's:
    after the answer :meth:`recv` says that it is over, and :meth:`begun` waits for the next one.

    Text that is sent is not sent at once: it is the body of the refusal with which the connection
    is closed then.
    """

    def __init__(
        self, vendor: FakeHttpVendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.transport = writer.transport
        self.request: Head | None = None
        self._vendor = vendor
        self._reader = reader
        self._writer = writer
        self._body: str | None = None
        self._words = _REFUSED
        self._answering = False
        self._answered = asyncio.Event()
        self._next: asyncio.Task[bytes] | None = None
        """Waits for the first byte of the next request, or for the client to leave."""

    async def begun(self) -> None:
        """Wait for the next request that is let in.

        Raises:
            ConnectionClosed: There is none.
        """
        while True:
            head = await self._head()
            headers = {name.lower(): value for name, value in head.headers.pairs}
            body = await self._read(
                self._reader.readexactly(int(headers.get("content-length", "0")))
            )
            self._vendor.attempts += 1
            judged = self._vendor.judged(head.path, headers, self._vendor.attempts)
            status = await self._unless_left(judged)
            if status is None and head.method == "POST":
                break
            # ``HEAD`` only makes the connection: it has no answer worth looking at.
            await self._refuse(
                status or HTTPStatus.METHOD_NOT_ALLOWED, silent=head.method == "HEAD"
            )
        self.request, self._body, self._words = head, body.decode("utf-8", "replace"), _REFUSED
        self._answered.clear()

    async def _head(self) -> Head:
        first = await self._peeked()
        if not first:
            raise ConnectionClosedError(None, None)
        self._next = None
        text = (first + await self._read(self._reader.readuntil(b"\r\n\r\n"))).decode("latin-1")
        line, *lines = text.rstrip().split("\r\n")
        method, path, _ = line.split(" ")
        pairs = (each.partition(":") for each in lines)
        return Head(method, path, Headers(tuple((name, value.strip()) for name, _, value in pairs)))

    def _peeked(self) -> asyncio.Task[bytes]:
        if self._next is None:
            self._next = asyncio.create_task(self._peek())
        return self._next

    async def _peek(self) -> bytes:
        """Its line may break when nobody asks: an error would be left to nobody."""
        try:
            return await self._reader.read(1)
        except OSError:
            return b""

    async def _read(self, reading: Awaitable[bytes]) -> bytes:
        try:
            return await reading
        except (OSError, EOFError):
            raise ConnectionClosedError(None, None) from None

    async def _unless_left(self, waiting: Coroutine[Any, Any, T]) -> T:
        work = asyncio.create_task(waiting)
        try:
            await asyncio.wait([work, self._peeked()], return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and not await self._peeked():
                raise ConnectionClosedError(None, None)
            return await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def recv(self) -> str:
        """The body of the request; asked again, it waits for the end of the answer.

        Raises:
            ConnectionClosed: It is over.
        """
        body, self._body = self._body, None
        if body is not None:
            return body
        await self._unless_left(self._answered.wait())
        raise ConnectionClosedError(None, None)

    async def _refuse(self, status: int, *, silent: bool = False) -> None:
        body = b"" if silent else self._words.encode()
        head = (
            f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        await self._write(head.encode() + body)

    async def send(self, message: str | bytes | AsyncIterable[Any]) -> None:
        """A piece of the answer, or :data:`END`."""
        if isinstance(message, str):
            self._words = message
            return
        if not self._answering:
            self._answering = True
            await self._write(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: audio/pcm\r\n\r\n"
            )
        if isinstance(message, bytes):
            await self._piece(message)
            return
        async for fragment in message:
            await self._piece(fragment)

    async def _piece(self, piece: bytes) -> None:
        await self._write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if piece == END:
            self._answering = False
            self._answered.set()

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._read(self._drained())

    async def _drained(self) -> bytes:
        await self._writer.drain()
        return b""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Refuse what was asked, if ``code`` is a status, and close."""
        del reason
        if 400 <= code < 600 and not self._answering:
            with suppress(ConnectionClosed):
                await self._refuse(code)
        self.leave()

    async def wait_closed(self) -> None:
        """Wait for the end of it, and take the error it ended with: asyncio keeps that, and tells
        of it when it is thrown away and nobody has looked."""
        with suppress(OSError):
            await self._writer.wait_closed()

    def leave(self) -> None:
        """Close it."""
        if self._next is not None:
            self._next.cancel()
        self._writer.close()


class FakeHttpVendor(FakeVendor):
    """A vendor that is asked over HTTP. ``serve`` receives the body of a ``POST`` request, sends
    audio in pieces, and :data:`END` behind it.

    Unrealistic also in that it takes the client's word for lengths.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[asyncio.Task[None], HttpLine] = {}

    def _cut(self) -> None:
        super()._cut()
        for line in self._lines.values():  # those that are only kept open too
            line.transport.abort()

    async def _serve(self, up: Future[str]) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        up.set_result(f"http://{host}:{port}")
        await self.closing.wait()
        for _ in range(TURNS_TO_BE_TOLD):
            await asyncio.sleep(0)
        server.close()
        lines = dict(self._lines)
        for task, line in lines.items():
            task.cancel()
            line.transport.abort()  # a task that has not begun closes nothing itself
        await asyncio.gather(*lines, return_exceptions=True)
        await asyncio.gather(*(line.wait_closed() for line in lines.values()))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = HttpLine(self, reader, writer)
        task = asyncio.create_task(self._take(line))
        self._lines[task] = line
        task.add_done_callback(self._lines.pop)

    async def _take(self, line: HttpLine) -> None:
        try:
            while not line.transport.is_closing():
                await line.begun()
                await self._handle(line)
        except ConnectionClosed:  # the client has left
            pass
        finally:
            line.leave()
            await line.wait_closed()
