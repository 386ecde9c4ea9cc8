"""What HTTP leaves open, and is bounded here, each reached over a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
import structlog
import uvicorn
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from exobridge.server import server_config
from exobridge.web import http_protocol
from exobridge.web.http_protocol import (
    MAX_HEAD,
    MAX_HEADERS,
    MAX_PIPELINED,
    MAX_REQUEST,
    MAX_UPLOAD,
    HttpLimits,
    Refused,
)
from tests.server import until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
QUICK = HttpLimits(connections=100, request_seconds=0.3)
LONG_ANSWER = 8_000_000
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@dataclass
class Listening:
    """A server, and what it was asked.

    Attributes:
        bodies: Sizes of the bodies that were read to their ends.
    """

    port: int
    server: uvicorn.Server
    bodies: list[int]

    @property
    def connections(self) -> int:
        """Those that are open."""
        return len(self.server.server_state.connections)


@asynccontextmanager
async def listening(limits: HttpLimits = QUICK) -> AsyncGenerator[Listening]:
    """A server that reads what it is sent, and answers with its size or with megabytes."""
    bodies: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
            return
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message["body"])
            more = message["more_body"]
        bodies.append(size)
        body = bytes(LONG_ANSWER) if scope["path"] == "/long" else str(size).encode()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})

    config = server_config(app, "127.0.0.1", 0, limits)
    config.lifespan = "off"
    config.timeout_keep_alive = 1
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    (listener,) = server.servers[0].sockets
    try:
        yield Listening(listener.getsockname()[1], server, bodies)
    finally:
        server.should_exit = True
        await serving


async def talk(port: int, *pieces: bytes, wait: float = 0) -> bytes:
    """Send the pieces, and take all that comes until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        for piece in pieces:
            if writer.transport.is_closing():
                break
            writer.write(piece)
            await asyncio.sleep(wait)
        async with asyncio.timeout(10):
            while data := await reader.read(65536):
                answer += data
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
        with suppress(OSError):  # what it ended with; asyncio tells of it if nobody asks
            await writer.wait_closed()
    return answer


def status(answer: bytes) -> int:
    """Of the first answer; 0: there was none."""
    return int(answer.split(b" ")[1]) if answer else 0


CLOSE = b"Connection: close\r\n\r\n"


async def test_an_ordinary_request_is_answered() -> None:
    """In one piece, byte by byte, with a body, chunked, and one after the other."""
    async with listening() as server:
        assert status(await talk(server.port, GET + CLOSE)) == 200
        pieces = [bytes([byte]) for byte in GET + CLOSE]
        assert status(await talk(server.port, *pieces, wait=0.001)) == 200
        body = b"Content-Length: 65536\r\n" + CLOSE + bytes(65536)
        assert status(await talk(server.port, POST + body)) == 200
        chunked = b"Transfer-Encoding: chunked\r\n" + CLOSE + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        assert (await talk(server.port, POST + chunked)).endswith(b"5")
        two = await talk(server.port, GET + b"\r\n" + GET + CLOSE)
        assert two.count(b"HTTP/1.1 200") == 2
        assert server.bodies == [0, 0, 65536, 5, 0, 0]


# ------------------------------------------------------------------ in time

SLOW: dict[str, list[bytes]] = {
    "nothing": [],
    "half a head": [GET],
    "a byte now and then": [bytes([byte]) for byte in GET],
    "empty lines": [b"\r\n"] * 20,
    "no body": [POST + b"Content-Length: 5\r\n\r\n"],
    "a body now and then": [POST + b"Content-Length: 50\r\n\r\n", *[b"x"] * 20],
    "a second head": [GET + b"\r\n", GET],
    "a second head now and then": [GET + b"\r\n", *(bytes([byte]) for byte in GET)],
    "a second head at once": [GET + b"\r\n" + GET],
    "empty lines after": [GET + b"\r\n", *[b"\r\n"] * 20],
}


async def test_a_request_that_does_not_come_is_not_waited_for() -> None:
    """However it is spun out, the connection is cut, and nothing is left of it."""
    async with listening() as server:
        asked = {how: talk(server.port, *pieces, wait=0.05) for how, pieces in SLOW.items()}
        answers = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
        await until(lambda: server.connections == 0)
    for how, answer in answers.items():
        had_a_whole_one = "second" in how or "after" in how
        assert status(answer) in ((200, 0) if had_a_whole_one else (0,)), how


async def test_an_idle_connection_is_closed() -> None:
    """After its answer, by the server."""
    async with listening(HttpLimits(100)) as server:
        answer = await talk(server.port, GET + b"\r\n")
        assert status(answer) == 200
        assert b"connection: close" not in answer.lower()


async def test_a_websocket_is_not_cut_by_the_time_of_its_handshake() -> None:
    """What it may do is for the call to say."""
    async with listening() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HANDSHAKE)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 2 * QUICK.request_seconds)
        assert server.connections == 1
        writer.transport.abort()


@pytest.mark.parametrize("end", [b"\r\n", CLOSE], ids=["kept alive", "closed"])
async def test_an_answer_that_is_not_read_is_not_kept(end: bytes) -> None:
    """Neither in the middle of it, nor when it waits for the closing."""
    async with listening() as server:
        (listener,) = server.server.servers[0].sockets
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\n" + end)
        await until(lambda: server.connections == 1)
        await until(lambda: server.connections == 0)
        writer.transport.abort()


# ------------------------------------------------------------------ in size

LARGE: dict[str, tuple[int, bytes]] = {
    "path": (431, b"GET /" + b"x" * MAX_HEAD + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "header": (431, GET + b"X: " + b"x" * MAX_HEAD + b"\r\n\r\n"),
    "headers": (431, GET + b"X: y\r\n" * MAX_HEADERS + b"\r\n"),
    "endless header": (431, GET + b"X: " + b"x" * 1_000_000),
    "endless name": (431, GET + b"x" * 1_000_000),
    "endless path": (431, b"GET /" + b"x" * 1_000_000),
    "trailers": (
        431,
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" + b"X: y\r\n" * MAX_HEADERS,
    ),
    "no HTTP": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "no path": (400, b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no ASCII": (400, b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n"),
    "websocket": (431, HANDSHAKE[:-2] + b"X: " + b"x" * MAX_HEAD + b"\r\n\r\n"),
}


async def test_what_is_too_large_is_refused() -> None:
    """With the status that says so, long before it is whole."""
    async with listening(HttpLimits(100)) as server:
        for how, (wanted, sent) in LARGE.items():
            pieces = [sent[at : at + 30_000] for at in range(0, len(sent), 30_000)]
            answer = await talk(server.port, *pieces)
            # A peer that writes on is cut off, and may not see the answer that was sent.
            allowed = (wanted, 0) if len(sent) > 2 * MAX_HEAD or how == "trailers" else (wanted,)
            assert status(answer) in allowed, (how, answer)
        assert server.bodies == []
        await until(lambda: server.connections == 0)


async def test_a_body_is_not_read_without_end() -> None:
    """Nor one that is all framing, nor what comes after its answer."""
    endless = [POST + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\na\r\n" * 20_000] * 10]
    assert sum(map(len, endless)) > 4 * MAX_REQUEST
    async with listening(HttpLimits(100)) as server:
        assert status(await talk(server.port, *endless)) in (413, 0)
        assert server.bodies == []
        await until(lambda: server.connections == 0)


async def test_a_list_of_people_to_call_may_be_longer() -> None:
    """Where such a list is sent to, and nowhere else; it has its end as well."""
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    size = 2 * MAX_REQUEST
    async with listening(HttpLimits(100)) as server:
        answer = await talk(server.port, head % (b"/api/v1/batches?name=x", size), bytes(size))
        assert (status(answer), server.bodies) == (200, [size])
        for path, most in ((b"/api/v1/batches/x", MAX_REQUEST), (b"/api/v1/batches", MAX_UPLOAD)):
            pieces = [bytes(MAX_REQUEST)] * (most // MAX_REQUEST + 1)
            sent = head % (path, sum(map(len, pieces)))
            assert status(await talk(server.port, sent, *pieces)) in (413, 0), path
        assert server.bodies == [size]


async def test_requests_on_one_connection_are_answered_before_many_more_are_read() -> None:
    """A page of requests at once is no client of ours."""
    async with listening() as server:
        few = await talk(server.port, (GET + b"\r\n") * MAX_PIPELINED + GET + CLOSE)
        assert few.count(b"HTTP/1.1 200") == MAX_PIPELINED + 1
        many = await talk(server.port, (GET + b"\r\n") * 1000)
        assert many.count(b"HTTP/1.1 200") <= MAX_PIPELINED + 1
        await until(lambda: server.connections == 0)


# ------------------------------------------------------------------ in number


async def test_connections_are_counted_streams_among_them() -> None:
    """One too many is told so and closed; once another has gone, the next is served."""
    async with listening(HttpLimits(connections=3)) as server, AsyncExitStack() as exits:
        writers: list[asyncio.StreamWriter] = []
        for greeting in (b"", GET, HANDSHAKE):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            exits.callback(writer.transport.abort)
            writer.write(greeting)
            writers.append(writer)
        await until(lambda: server.connections == 3)
        assert status(await talk(server.port)) == 503
        writers[0].transport.abort()
        await until(lambda: server.connections == 2)
        assert status(await talk(server.port, GET + CLOSE)) == 200


def test_each_kind_of_refusal_is_told_once_a_minute() -> None:
    """Whoever can connect can cause one; the line says how many there were."""
    structlog.reset_defaults()
    refused = Refused()
    with capture_logs() as entries:
        for number in range(1000):
            refused.add("no HTTP", number / 10)
        refused.add("too slow", 100.0)
    told = [(entry["reason"], entry["refused"]) for entry in entries]
    assert told == [("no HTTP", 1), ("no HTTP", 600), ("too slow", 1)]
    assert refused.counts == {"no HTTP": 1000, "too slow": 1}
    assert http_protocol.TOLD_S == 60


def test_there_is_room_for_every_call_and_its_webhooks() -> None:
    """Two connections a call, and a thousand for what is turned away."""
    assert HttpLimits.of(200) == HttpLimits(1400, 10.0)
