"""The fakes over HTTP look at how each of their connections ended."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from exobridge_providers.testing.fake_connection import VendorConnection
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from exobridge_providers.testing.fake_http_vendor import FakeHttpVendor
from tests.server import until

_REQUEST = b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nab"
_AT_ONCE = struct.pack("ii", 1, 0)


class _Silent(FakeHttpVendor):
    """Takes every request, and answers none."""

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        return None

    async def serve(self, connection: VendorConnection) -> None:
        while True:
            await connection.receive()


def _asking(url: str) -> socket.socket:
    """A client that has asked, and will break the line when it is closed."""
    where = urlsplit(url)
    client = socket.create_connection((where.hostname, where.port), timeout=5)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    client.sendall(_REQUEST)
    return client


@pytest.fixture
def nobody_looks_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a stream is thrown away asyncio looks itself how it ended, unless the garbage collector
    takes what holds that first. It may, and in this test it always does."""
    monkeypatch.delattr(asyncio.StreamReaderProtocol, "__del__", raising=False)


async def _broken_while_served() -> None:
    async with _Silent().listening() as vendor:
        client = _asking(vendor.url)
        await until(lambda: vendor.open_connections == 1)
        client.close()
        await until(lambda: vendor.open_connections == 0)


async def _broken_at_the_end() -> None:
    with ExitStack() as clients:
        async with _Silent().listening() as vendor:
            for _ in range(8):
                clients.enter_context(_asking(vendor.url))
            await until(lambda: vendor.open_connections == 8)
            clients.close()


async def _broken_before_a_scripted_answer() -> None:
    async with FakeHttp().listening() as server:
        server.replies["/"] = [Reply(delay_seconds=60)]
        _asking(server.url).close()
        await until(lambda: server.connections == 1 and server.open_connections == 0)


@pytest.mark.usefixtures("nobody_looks_later")
@pytest.mark.parametrize(
    "broken", [_broken_while_served, _broken_at_the_end, _broken_before_a_scripted_answer]
)
async def test_a_line_that_is_reset_leaves_no_error_to_the_garbage_collector(
    caplog: pytest.LogCaptureFixture, broken: Callable[[], Awaitable[None]]
) -> None:
    """Whenever the client breaks it: how it ended was looked at."""
    await broken()
    with caplog.at_level(logging.ERROR):
        gc.collect()
    assert caplog.records == []
