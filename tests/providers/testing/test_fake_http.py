"""The fake server leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

import pytest

from exobridge_providers.testing.fake_http import FakeHttp


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_of_the_last_moment_is_closed_too(turns: int) -> None:
    """However far the loop has come with it when the server ends."""
    server = FakeHttp()
    async with server.listening():
        where = urlsplit(server.url)
        client = socket.create_connection((where.hostname, where.port), timeout=5)
        for _ in range(turns):
            await asyncio.sleep(0)
    with client:
        assert client.recv(1) == b""
    assert (server.connections, server.open_connections) == (1, 0)
