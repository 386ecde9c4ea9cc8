"""The WebSocket under a call, byte by byte: whatever a peer sends, and however it is cut, it does
what ``websockets`` itself would do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from exobridge.server.config import MAX_MESSAGE, server_config
from exobridge.web.line import SocketLine
from exobridge.web.protocol import protocol_of
from tests.server import until

MASK = b"\x11\x22\x33\x44"

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(opcode: Opcode, payload: bytes = b"", *, fin: bool = True, rsv1: bool = False) -> bytes:
    """A frame as a client sends it."""
    return Frame(opcode, payload, fin=fin, rsv1=rsv1).serialize(mask=True)


def text(payload: bytes, *, fin: bool = True) -> bytes:
    """A text frame."""
    return frame(Opcode.TEXT, payload, fin=fin)


def headed(first: int, length: int, payload: bytes = b"") -> bytes:
    """A masked frame whose head says what it likes, with a 64-bit length."""
    return bytes((first, 0xFF)) + length.to_bytes(8, "big") + MASK + payload


PING = frame(Opcode.PING, b"are you there")
CLOSE = frame(Opcode.CLOSE, Close(1000, "").serialize())

STREAMS: dict[str, list[bytes]] = {
    "one frame": [text(b'{"event":"media"}')],
    "many frames": [text(b"number %d" % number) for number in range(50)],
    "every form of length": [text(b"x" * size) for size in (0, 1, 125, 126, 65535, 65536)],
    "a length in a longer form than it needs": [headed(0x81, 3, b"abc"), text(b"after")],
    "fragments": [text(b"a", fin=False), frame(Opcode.CONT, b"b"), text(b"after")],
    "a ping between fragments": [text(b"a", fin=False), PING, frame(Opcode.CONT, b"b")],
    "a ping between frames": [text(b"a"), PING, text(b"b")],
    "a pong that nobody asked for": [text(b"a"), frame(Opcode.PONG, b"x"), text(b"b")],
    "binary": [frame(Opcode.BINARY, b"\x00\xff"), text(b"after")],
    "binary fragments": [
        frame(Opcode.BINARY, b"\x00", fin=False),
        frame(Opcode.CONT, b"\x01"),
        text(b"after"),
    ],
    "text in the middle of fragments": [text(b"a", fin=False), text(b"b"), text(b"c")],
    "a continuation of nothing": [text(b"a"), frame(Opcode.CONT, b"b"), text(b"c")],
    "not masked": [text(b"a"), Frame(Opcode.TEXT, b"b").serialize(mask=False), text(b"c")],
    "a reserved bit": [text(b"a"), b"\xc1" + text(b"b")[1:], text(b"c")],
    "a reserved opcode": [text(b"a"), b"\x83" + text(b"b")[1:], text(b"c")],
    "a reserved control opcode": [b"\x8b" + text(b"b")[1:]],
    "a ping in fragments": [b"\x09" + PING[1:], text(b"after")],
    "a ping that is too long": [headed(0x89, 126, b"x" * 126), text(b"after")],
    "too large by its head": [text(b"a"), headed(0x81, MAX_MESSAGE + 1), text(b"c")],
    "larger than memory by its head": [text(b"a"), headed(0x81, (1 << 63) - 1)],
    "a length with the highest bit set": [text(b"a"), headed(0x81, 1 << 63)],
    "just not too large": [text(b"x" * MAX_MESSAGE), text(b"after")],
    "fragments that are too large together": [
        text(b"x" * (MAX_MESSAGE - 10), fin=False),
        frame(Opcode.CONT, b"x" * 11),
        text(b"after"),
    ],
    "closed, and more": [text(b"a"), CLOSE, text(b"b"), PING],
    "closed without a code": [text(b"a"), frame(Opcode.CLOSE), text(b"b")],
    "closed with half a code": [text(b"a"), frame(Opcode.CLOSE, b"\x03")],
    "closed with a code that is none": [frame(Opcode.CLOSE, (999).to_bytes(2, "big"))],
    "closed in the middle of fragments": [text(b"a", fin=False), CLOSE],
    "not a WebSocket at all": [b"GET / HTTP/1.1\r\n\r\n"],
}


def expected(data: bytes) -> tuple[list[bytes], bytes]:
    """What ``websockets`` makes of it: the text messages, and what it answers."""
    reference = ServerProtocol(max_size=MAX_MESSAGE)
    reference.receive_data(HANDSHAKE)
    (request,) = reference.events_received()
    assert isinstance(request, Request)
    reference.send_response(reference.accept(request))
    reference.data_to_send()
    reference.receive_data(data)
    messages: list[bytes] = []
    parts: list[bytes] = []
    kind = Opcode.TEXT
    for event in reference.events_received():
        assert isinstance(event, Frame)
        if event.opcode in (Opcode.TEXT, Opcode.BINARY):
            kind, parts = event.opcode, [bytes(event.data)]
        elif event.opcode is Opcode.CONT:
            parts.append(bytes(event.data))
        else:
            continue
        if event.fin and kind is Opcode.TEXT:
            messages.append(b"".join(parts))
    return messages, b"".join(reference.data_to_send())


@asynccontextmanager
async def listening() -> AsyncGenerator[tuple[int, list[list[bytes]], list[int]]]:
    """A server whose every line listens; its port, what each was told, and the codes."""
    told: list[list[bytes]] = []
    codes: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        messages: list[bytes] = []
        told.append(messages)
        line = SocketLine(protocol_of(scope), 1.0)
        codes.append(await line.listen(messages.append))

    config = server_config(app, "127.0.0.1", 0)
    config.lifespan = "off"
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    (listener,) = server.servers[0].sockets
    try:
        yield listener.getsockname()[1], told, codes
    finally:
        server.should_exit = True
        await serving


async def converse(port: int, pieces: list[bytes]) -> bytes:
    """Send these pieces, each in a packet of its own as far as that can be had, then nothing more;
    what came back after the handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    except OSError:  # refused in the middle: what it sent before is lost with it
        return b""
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def longer_than(codes: list[int], count: int) -> bool:
    """Whether more lines than that have ended."""
    return len(codes) > count


def cut(data: bytes, seed: int) -> list[bytes]:
    """The same bytes in pieces: single ones, or a few large ones."""
    chance = random.Random(seed)
    longest = 1 if len(data) < 400 else max(2, len(data) // 20)
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = chance.randint(1, longest)
        pieces.append(data[at : at + size])
        at += size
    return pieces


@pytest.mark.parametrize("name", STREAMS)
async def test_it_does_what_websockets_would(name: str) -> None:
    """In one piece, frame by frame, and cut anywhere: the same messages reach the call, and the
    peer gets the same answer."""
    frames = STREAMS[name]
    data = b"".join(frames)
    messages, answer = expected(data)
    ways = [[data], frames, cut(data, 1), cut(data, 2)]
    async with listening() as (port, told, codes):
        answers = [await converse(port, way) for way in ways]
        await until(lambda: len(codes) == len(ways))
    assert told == [messages] * len(ways)
    for got in answers:
        assert got in (answer, b"")
    assert answer in answers


async def test_any_order_of_frames_cut_anywhere() -> None:
    """Two hundred streams of frames of every kind, good and bad, each cut at random."""
    kinds = [
        text(b"short"),
        text(b"y" * 700),
        text(b"z" * 70_000),
        text(b"part", fin=False),
        frame(Opcode.CONT, b"more", fin=False),
        frame(Opcode.CONT, b"last"),
        frame(Opcode.BINARY, b"\x00\x01"),
        PING,
        headed(0x81, 5, b"12345"),
    ]
    rare = [CLOSE, b"\xc1" + text(b"b")[1:], headed(0x81, MAX_MESSAGE + 1)]
    chance = random.Random(7)
    async with listening() as (port, told, codes):
        for number in range(200):
            frames = chance.choices(kinds, k=chance.randint(1, 12))
            if chance.random() < 0.3:
                frames.insert(chance.randint(0, len(frames)), chance.choice(rare))
            data = b"".join(frames)
            messages, answer = expected(data)
            got = await converse(port, cut(data, number))
            await until(partial(longer_than, codes, number))
            assert told[number] == messages, (number, frames)
            assert got in (answer, b""), (number, frames)


async def test_what_is_not_utf8_is_the_calls_to_judge() -> None:
    """It is handed over as it came, and the connection stands."""
    async with listening() as (port, told, codes):
        await converse(port, [text(b"\xff\xfe"), text(b"after")])
        await until(lambda: bool(codes))
    assert told == [[b"\xff\xfe", b"after"]]


async def test_a_frame_in_single_bytes_is_not_copied_each_time() -> None:
    """What has come of a large frame is kept until the whole of it is there."""
    payload = text(b"x" * 100_000)
    async with listening() as (port, told, codes):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        for at in range(0, len(payload), 100):
            writer.write(payload[at : at + 100])
            await asyncio.sleep(0)
        await until(lambda: bool(told and told[0]))
        writer.close()
        await writer.wait_closed()
        await until(lambda: bool(codes))
    assert told == [[b"x" * 100_000]]
