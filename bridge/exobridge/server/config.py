"""uvicorn, set up for media."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import uvicorn

from exobridge.web.http_protocol import KEEP_ALIVE_SECONDS, HttpLimits, Refused, http_protocol
from exobridge.web.protocol import MediaProtocol

SHUTDOWN_SECONDS = 15
"""Longest wait for connections to end: a peer that does not read would hold the process."""

MAX_MESSAGE = 256 * 1024
"""Largest WebSocket message, in bytes: Exotel's largest chunk is 100,000 before base64."""


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop: uvloop where it is installed."""
    return uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()


def server_config(
    app: object, host: str, port: int, limits: HttpLimits | None = None
) -> uvicorn.Config:
    """uvicorn's configuration: its WebSocket without deflate (70-110 µs a frame), pings off
    (whether Exotel answers them is unknown), bounded messages.

    Args:
        limits: What the server bears; ``None``: what a hundred calls need.
    """
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # Starlette's own type is narrower than uvicorn's
        host=host,
        port=port,
        loop="auto",
        http=http_protocol(limits or HttpLimits.of(100), Refused()),
        ws=MediaProtocol,
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
