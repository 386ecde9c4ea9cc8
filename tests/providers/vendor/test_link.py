"""One socket to a vendor: where it goes, what it keeps, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve

from exobridge_providers.errors import (
    ProviderConfigError,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.vendor import Address
from exobridge_providers.vendor.link import MAX_UNSENT_BYTES, Link

KEY = "key-0123456789"


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object],
) -> AsyncGenerator[str]:
    """A server that does what it likes with a connection."""
    taken: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        answer(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"ws://{host}:{port}"
    finally:
        server.close()
        for writer in taken:
            writer.transport.abort()
            with suppress(OSError):  # what it ended with
                await writer.wait_closed()


@asynccontextmanager
async def vendor(talk: Callable[[ServerConnection], object]) -> AsyncGenerator[str]:
    """A server that speaks WebSocket."""

    async def handle(socket: ServerConnection) -> None:
        result = talk(socket)
        if asyncio.iscoroutine(result):
            await result
        await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0, close_timeout=0.1) as server:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"ws://{host}:{port}"


async def _ended(link: Link) -> ProviderError:
    async def read() -> None:
        async for _ in link.messages():
            pass

    with pytest.raises(ProviderError) as ended:
        await asyncio.wait_for(read(), 5)
    return ended.value


def test_a_query_is_written_as_vendors_read_it() -> None:
    """Lists several times, truths in lower case, nothing left out but ``None``."""
    query = {"a": 1, "b": True, "c": None, "d": ["x y", "z&"], "e": ""}
    assert Address("wss://host/path", query).target == (
        "wss://host/path?a=1&b=true&d=x%20y&d=z%26&e="
    )


def test_a_query_in_the_url_is_kept() -> None:
    """The user's own comes first."""
    assert Address("wss://host/p?own=1#f", {"a": 1}).target == "wss://host/p?own=1&a=1"


def test_an_address_does_not_show_its_key() -> None:
    """In no form that a log could have."""
    address = Address("wss://host", {}, {"Authorization": f"Token {KEY}"}, (KEY,))
    assert KEY not in repr(address)


async def test_a_redirection_is_not_followed() -> None:
    """The key must not go to another host: only one request is made, and none there."""
    elsewhere: list[bytes] = []

    async with listening(lambda reader, writer: elsewhere.append(b"asked")) as other:

        def moved(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            place = other.encode()
            writer.write(b"HTTP/1.1 307 Moved\r\nLocation: " + place + b"/\r\n\r\n")
            writer.close()

        async with listening(moved) as url:
            address = Address(url, {}, {"Authorization": f"Token {KEY}"}, (KEY,))
            with pytest.raises(ProviderConfigError, match="307"):
                await Link.open(address, "acme", 5)
    assert not elsewhere


async def test_what_is_no_websocket_cannot_be_reached() -> None:
    """Nothing of what it says is told."""

    def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-nonsense\r\n\r\n")
        writer.close()

    async with listening(nonsense) as url:
        with pytest.raises(ProviderUnavailableError, match="acme cannot be reached"):
            await Link.open(Address(url), "acme", 5)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:99999", "ws://"])
async def test_a_url_that_is_none_is_the_settings_fault(url: str) -> None:
    """It is not tried again."""
    with pytest.raises(ProviderConfigError, match="url is no URL"):
        await Link.open(Address(url), "acme", 5)


async def test_a_port_where_nobody_listens_may_be_tried_again() -> None:
    """The operating system's words are told."""
    with pytest.raises(ProviderUnavailableError, match="cannot be reached") as error:
        await Link.open(Address("ws://127.0.0.1:1"), "acme", 5)
    assert error.value.retryable


async def test_messages_go_in_their_order() -> None:
    """Audio and what is said between."""
    came: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def talk(socket: ServerConnection) -> None:
        async for message in socket:
            came.put_nowait(message)

    async with vendor(talk) as url:
        link = await Link.open(Address(url), "acme", 5)
        link.send("hello")
        assert link.send_audio(b"12")
        link.send("finalize")
        await link.aclose("goodbye")
        assert [came.get_nowait() for _ in range(4)] == ["hello", b"12", "finalize", "goodbye"]
        link.send("after the end")  # nothing happens
        await link.aclose()


async def test_the_oldest_audio_goes_where_too_much_waits() -> None:
    """What was said between stays, and what went is counted."""

    async def listen(socket: ServerConnection) -> None:
        async for _ in socket:
            pass

    async with vendor(listen) as url:
        link = await Link.open(Address(url), "acme", 5)
        link.send("finalize")
        whole = [link.send_audio(bytes(1024)) for _ in range(MAX_UNSENT_BYTES // 1024 + 3)]
        assert whole.count(False) == 3
        assert link.dropped == 3 * 1024
        assert link.is_behind
        await link.aclose()


async def test_the_vendors_close_is_told_without_the_key() -> None:
    """With its code, and its reason as far as it is fit for a log."""
    async with vendor(lambda socket: socket.close(1011, f"no {KEY}")) as url:
        link = await Link.open(Address(url, secrets=(KEY,)), "acme", 5)
        error = await _ended(link)
        assert isinstance(error, ProviderUnavailableError)
        assert error.status_code == 1011
        assert str(error) == "acme closed the connection (1011 no …)"
        await link.aclose()


async def test_a_line_that_breaks_is_told() -> None:
    """It may be tried again."""
    async with vendor(lambda socket: socket.transport.abort()) as url:
        link = await Link.open(Address(url), "acme", 5)
        error = await _ended(link)
        assert str(error) == "the line to acme broke"
        assert error.retryable
        await link.aclose()


async def test_what_is_no_message_is_the_vendors_fault() -> None:
    """Bytes that no WebSocket sends."""
    async with vendor(lambda socket: socket.transport.write(b"\xff\xff\xff\xff")) as url:
        link = await Link.open(Address(url), "acme", 5)
        assert isinstance(await _ended(link), ProviderProtocolError)
        await link.aclose()


async def test_closing_that_is_given_up_closes_all_the_same() -> None:
    """The vendor sees the end of the line, though nobody waited for its farewell."""
    left = asyncio.Event()

    async def mute(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await asyncio.sleep(0.05)
        socket.transport.resume_reading()
        await socket.wait_closed()
        left.set()

    async with vendor(mute) as url:
        link = await Link.open(Address(url), "acme", 5)
        closing = asyncio.create_task(link.aclose("goodbye"))
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing], timeout=5)
        assert closing.cancelled()
        await asyncio.wait_for(left.wait(), 5)
