"""The socket of one call, on uvicorn as it is set up for media, against peers of every kind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from exobridge.server import server_config
from exobridge.web.line import ABNORMAL, MAX_WAITING, SocketLine
from exobridge.web.protocol import protocol_of
from tests.server import until

Play = Callable[[SocketLine], Awaitable[None]]


@asynccontextmanager
async def line_to(
    play: Play, send_seconds: float = 0.5
) -> AsyncGenerator[tuple[ClientConnection, asyncio.Future[None]]]:
    """A peer whose line ``play`` has, with small buffers on both sides; and when ``play`` ends."""
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            await play(SocketLine(protocol_of(scope), send_seconds))
        except BaseException as error:
            over.set_exception(error)
        else:
            over.set_result(None)

    config = server_config(app, "127.0.0.1", 0)
    config.lifespan = "off"
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    (listener,) = server.servers[0].sockets
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    peer = socket.socket()
    peer.setblocking(False)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.get_running_loop().sock_connect(peer, listener.getsockname())
    try:
        async with connect(
            "ws://localhost/",
            sock=peer,
            close_timeout=1,
            compression=None,
            ping_interval=None,
            proxy=None,
            max_size=None,
        ) as connection:
            yield connection, over
            connection.transport.abort()
    finally:
        server.should_exit = True
        await serving


def ignore(text: bytes) -> None:
    """Nobody listens."""


async def heard(connection: ClientConnection) -> list[str]:
    """All that comes until the socket closes."""
    texts: list[str] = []
    try:
        while True:
            texts.append(str(await connection.recv()))
    except ConnectionClosed:
        return texts


async def test_what_comes_is_handed_over_in_order_until_the_close() -> None:
    """Text frames whole, however long; binary ones are passed over; the peer's code is told."""
    texts: list[bytes] = []
    codes: list[int] = []

    async def play(line: SocketLine) -> None:
        codes.append(await line.listen(texts.append))

    async with line_to(play) as (peer, over):
        await peer.send(["first ", "in two"])
        await peer.send(b"binary")
        await peer.send("second")
        await peer.close(1001)
        await asyncio.wait_for(over, 5)
    assert (texts, codes) == ([b"first in two", b"second"], [1001])


@pytest.mark.parametrize("how", ["abort", "no code"])
async def test_an_end_without_a_code_is_1006(how: str) -> None:
    """A connection that broke, or a close frame that says nothing."""
    codes: list[int] = []

    async def play(line: SocketLine) -> None:
        codes.append(await line.listen(ignore))

    async with line_to(play) as (peer, over):
        if how == "abort":
            peer.transport.abort()
        else:
            peer.transport.write(bytes([0x88, 0x80, 0, 0, 0, 0]))  # close, masked, without payload
        await asyncio.wait_for(over, 5)
    assert codes == [ABNORMAL]


async def test_a_slow_peer_gets_everything_in_order() -> None:
    """What it did not read in time waits for it, and what is sent meanwhile comes after."""
    texts = [f"{number} " + "x" * 10_000 for number in range(100)]

    async def play(line: SocketLine) -> None:
        for text in texts[:60]:
            line.send(text)
        await asyncio.sleep(0.2)
        for text in texts[60:]:
            line.send(text)
        await asyncio.sleep(0.4)
        line.close(1000)

    async with line_to(play, send_seconds=2) as (peer, over):
        peer.transport.pause_reading()
        await asyncio.sleep(0.1)
        peer.transport.resume_reading()
        received = await asyncio.wait_for(heard(peer), 5)
        await over
    assert received == texts
    assert peer.close_code == 1000


async def test_a_peer_that_does_not_read_ends_the_line_in_time() -> None:
    """``listen`` gives up with 1006, and then nothing is sent, kept or waited for."""
    codes: list[int] = []

    async def play(line: SocketLine) -> None:
        listening = asyncio.create_task(line.listen(ignore))
        for _ in range(50):
            line.send("x" * 10_000)
        codes.append(await listening)
        line.send("after the end")
        line.close(1000)

    async with line_to(play, send_seconds=0.3) as (peer, over):
        peer.transport.pause_reading()
        await asyncio.wait_for(over, 5)
    assert codes == [ABNORMAL]


async def test_what_waits_for_a_peer_is_bounded() -> None:
    """One frame beyond the limit ends the line, long before the deadline."""
    codes: list[int] = []

    async def play(line: SocketLine) -> None:
        listening = asyncio.create_task(line.listen(ignore))
        line.send("x" * 1_000_000)
        line.send("waits for it")
        for _ in range(MAX_WAITING + 1):
            line.send("x")
        codes.append(await listening)

    async with line_to(play, send_seconds=60) as (peer, over):
        peer.transport.pause_reading()
        await asyncio.wait_for(over, 5)
    assert codes == [ABNORMAL]


async def test_closing_again_and_sending_after_are_nothing() -> None:
    """The first code counts, and ``listen`` ends with it."""
    codes: list[int] = []

    async def play(line: SocketLine) -> None:
        listening = asyncio.create_task(line.listen(ignore))
        await asyncio.sleep(0)
        line.close(1008)
        line.close(1000)
        line.send("after the end")
        codes.append(await listening)

    async with line_to(play) as (peer, over):
        assert await asyncio.wait_for(heard(peer), 5) == []
        await over
    assert (peer.close_code, codes) == (1008, [1008])


async def test_closing_does_not_wait_for_what_was_not_read() -> None:
    """A call that is over is over; the deadline holds here too."""

    async def play(line: SocketLine) -> None:
        for _ in range(50):
            line.send("x" * 10_000)
        line.close(1000)

    async with line_to(play, send_seconds=0.2) as (peer, over):
        peer.transport.pause_reading()
        await asyncio.wait_for(over, 5)


async def test_an_error_of_the_listener_comes_out() -> None:
    """It is the call's to deal with; the line itself can still be closed."""

    async def play(line: SocketLine) -> None:
        def refuse(text: bytes) -> None:
            raise ValueError(text.decode())

        with pytest.raises(ValueError, match="hello"):
            await line.listen(refuse)
        line.close(1011)

    async with line_to(play) as (peer, over):
        await peer.send("hello")
        assert await asyncio.wait_for(heard(peer), 5) == []
        await over
    assert peer.close_code == 1011
