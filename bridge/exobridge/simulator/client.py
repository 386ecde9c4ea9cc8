"""The HTTP client that webhooks are asked with, and how much of an answer is read."""

from __future__ import annotations

import ssl
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy

import httpx

from exobridge.simulator.handshake import LOOPBACK
from exobridge.simulator.tap import keep_requests
from exobridge.wire.recorder import WireRecorder


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    """Those that are trusted; loading them takes longer than anything else at the start."""
    return httpx.create_ssl_context()


def http_client(wire: WireRecorder | None = None) -> httpx.AsyncClient:
    """It follows no redirect, as Exotel does not, and keeps no cookie; no proxy stands before this
    machine, and each question has its own time limit.

    Args:
        wire: Keeps what is asked and answered.
    """
    client = httpx.AsyncClient(
        follow_redirects=False,
        timeout=None,
        verify=_certificates(),
        # Identity: a small answer must not unpack into a huge one.
        headers={"Accept-Encoding": "identity"},
        # A connection each: one that is kept may be closed by the server just as it is asked again,
        # which is no fault of the server.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        mounts={f"all://{host}": None for host in LOOPBACK},
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if wire is not None:
        keep_requests(client, wire)
    return client


async def read_body(response: httpx.Response, limit: int) -> bytes | None:
    """The body as it was sent, still packed if the server packed it; ``None`` if it has more than
    ``limit`` bytes."""
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > limit:
            return None
    return bytes(body)
