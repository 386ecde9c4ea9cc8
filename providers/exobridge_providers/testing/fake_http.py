"""A small HTTP server on a real socket, whose answers are scripted, faults and all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import msgspec

TURNS_TO_BE_TOLD = 4
"""Of the loop, in which :mod:`asyncio` takes a connection and tells of it. One that it has taken
and not yet told of when its server is closed would never be closed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How a request is answered.

    Attributes:
        parts: The body as it is sent: bytes, and pauses in seconds between them.
        delay_seconds: Before the head.
        drop: ``head``: the connection is cut in place of an answer; ``body``: after the parts.
        for_ever: Sent again and again after the parts, until the client has gone.
    """

    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    parts: Sequence[bytes | float] = ()
    delay_seconds: float = 0
    drop: str = ""
    for_ever: bytes = b""


@dataclass(frozen=True, slots=True)
class Received:
    """A request.

    Attributes:
        headers: By lower-case name.
        connection: The number of the connection it came on; the first is 1.
        came_at: When, in seconds of :func:`time.monotonic`; ``parts_at``: when each part of its
            answer was sent.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    came_at: float = field(default_factory=time.monotonic)
    parts_at: list[float] = field(default_factory=list[float])

    def json(self) -> object:
        """The body's."""
        return msgspec.json.decode(self.body)


class FakeHttp:
    """A server that answers by script.

    Unrealistic in that it looks at nothing of a request, answers requests in the order in which
    they come, whatever they ask for, and knows no TLS.

    Attributes:
        url: ``http://`` and where it listens.
        replies: To come, by path; the last of a path is used again and again. A path that has
            none gets a 404.
        received: All that came, in order, but for requests of method ``HEAD``: ``heads`` says how
            many of those there were.
        connections: How many were made.
        open_connections: How many there are.
        gone: Set whenever a connection ends.
    """

    def __init__(self) -> None:
        self.url = ""
        self.replies: dict[str, list[Reply]] = {}
        self.received: list[Received] = []
        self.heads = 0
        self.connections = 0
        self.open_connections = 0
        self.gone = asyncio.Event()
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Self]:
        """Serve on a free port of this machine."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            for _ in range(TURNS_TO_BE_TOLD):
                await asyncio.sleep(0)
            server.close()
            for writer in self._serving.values():
                writer.transport.abort()
            await asyncio.gather(*self._serving)

    def of(self, path: str) -> list[Received]:
        """The requests for this path."""
        return [each for each in self.received if each.path.partition("?")[0] == path]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        self._serving[task] = writer
        task.add_done_callback(self._serving.pop)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        try:
            while await self._one(reader, writer, number):
                pass
        except (OSError, asyncio.IncompleteReadError):  # the client has gone
            pass
        finally:
            writer.transport.abort()
            self.open_connections -= 1
            self.gone.set()
            with suppress(OSError):  # what it ended with; asyncio would tell of it when nobody asks
                await writer.wait_closed()

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        """Answer a request; whether there may be another."""
        request = await _read(reader, number)
        if request.method == "HEAD":
            self.heads += 1
            writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            return True
        self.received.append(request)
        replies = self.replies.get(request.path.partition("?")[0]) or [Reply(404)]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        left = asyncio.create_task(_has_left(reader))
        sending = asyncio.create_task(_send(writer, reply, request.parts_at))
        try:
            await asyncio.wait([left, sending], return_when=asyncio.FIRST_COMPLETED)
            return sending.done() and sending.result() and not left.done()
        finally:
            left.cancel()
            sending.cancel()
            await asyncio.gather(left, sending, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, number: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body, number)


async def _has_left(reader: asyncio.StreamReader) -> None:
    """Ends when the client has closed, or broken the line; a client of ours sends nothing before it
    has its answer."""
    while not reader.at_eof() and reader.exception() is None:  # noqa: ASYNC110  # a reader tells it by no event
        await asyncio.sleep(0.005)


async def _send(writer: asyncio.StreamWriter, reply: Reply, parts_at: list[float]) -> bool:
    """Whether the connection may go on."""
    await asyncio.sleep(reply.delay_seconds)
    if reply.drop == "head":
        return False
    headers = {
        "content-type": reply.content_type,
        "transfer-encoding": "chunked",
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    for part in reply.parts:
        if isinstance(part, bytes):
            parts_at.append(time.monotonic())
            await _chunk(writer, part)
        else:
            await asyncio.sleep(part)
    while reply.for_ever:
        await _chunk(writer, reply.for_ever)
        await asyncio.sleep(0.001)
    if reply.drop == "body":
        await writer.drain()
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _chunk(writer: asyncio.StreamWriter, part: bytes) -> None:
    if part:
        writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        await writer.drain()
