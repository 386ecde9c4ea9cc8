"""The WebSocket handshake as Exotel does it: within a limit, with one retry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI

from exobridge.simulator.line_faults import NO_FAULTS, LineFaults, Try
from exobridge.simulator.link import reset
from exobridge.simulator.reason import reason
from exobridge.simulator.rules import Breach, Rule

MAX_MESSAGE_BYTES = 1 << 20
"""Largest message taken from a server, in bytes."""
TRIES = 2
_CUT_AFTER_SECONDS = 0.02
"""What was written has reached the server by then."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Hosts that no proxy of the environment stands before."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of it.

    Attributes:
        socket: The open WebSocket; ``None`` if there is none.
        ms: The handshake that succeeded, from the TCP connection's first step.
        attempts: Tries it took.
        breaches: The rules that were not kept.
    """

    socket: ClientConnection | None
    ms: float | None
    attempts: int
    breaches: tuple[Breach, ...] = ()


async def open_stream(
    stream_url: str,
    *,
    timeout_s: float,
    clock: Callable[[], float],
    faults: LineFaults = NO_FAULTS,
) -> Opened:
    """Open a stream. What goes wrong is in the answer; nothing is raised.

    Args:
        stream_url: ``ws://`` or ``wss://``; credentials in it become an Authorization header.
        timeout_s: Seconds for each try.
        clock: Seconds, monotonic.
        faults: What becomes of the tries.
    """
    why = ""
    fates = (*faults.tries, *[Try.WELL] * TRIES)
    await asyncio.sleep(faults.handshake_delay_ms / 1000)
    for attempt, fate in enumerate(fates[:TRIES], start=1):
        began = clock()
        try:
            if fate is Try.UNREACHED:
                continue
            if fate is Try.CUT:
                await _cut(stream_url, timeout_s)
                continue
            socket = await _connect(stream_url, timeout_s)
            if fate is Try.UNHEARD:
                reset(socket.transport)
                await socket.wait_closed()
                continue
        except InvalidStatus as error:
            why = f"status {error.response.status_code}"
        except InvalidMessage:
            why = "no HTTP response"
        except (OSError, InvalidHandshake, InvalidURI, ValueError) as error:
            why = reason(error)
        else:
            return Opened(socket, (clock() - began) * 1000, attempt)
    # A line that let no try through is not the server's fault.
    breaches = (Breach(Rule.HANDSHAKE, why),) if why else ()
    return Opened(None, None, TRIES, breaches)


def _connect(stream_url: str, timeout_s: float) -> _Connect:
    # Compression is not offered and nothing pings: Exotel is not known to do either.
    return _Connect(
        stream_url,
        compression=None,
        max_size=MAX_MESSAGE_BYTES,
        ping_interval=None,
        proxy=None if _is_loopback(stream_url) else True,
        open_timeout=timeout_s,
        close_timeout=1,
    )


async def _cut(stream_url: str, timeout_s: float) -> None:
    """Begin the request, and reset the connection in the middle of it."""
    parts = urlsplit(stream_url)
    secure = parts.scheme == "wss"
    async with asyncio.timeout(timeout_s):
        _, writer = await asyncio.open_connection(
            parts.hostname, parts.port or (443 if secure else 80), ssl=secure or None
        )
        writer.write(f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.hostname}\r\nUpgr".encode())
        await writer.drain()
        await asyncio.sleep(_CUT_AFTER_SECONDS)
    reset(writer.transport)
    with suppress(OSError):  # what it ended with; asyncio would tell of it when nobody asks
        await writer.wait_closed()


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {host.strip("[]") for host in LOOPBACK}


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc  # Exotel is not known to follow any
