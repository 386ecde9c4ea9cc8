"""The WebSocket handshake as Exotel does it: within a limit, with one retry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI

from exobridge.simulator.rules import Breach, Rule

MAX_MESSAGE_BYTES = 1 << 20
"""Largest message taken from a server, in bytes."""
TRIES = 2
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


async def open_stream(stream_url: str, *, timeout_s: float, clock: Callable[[], float]) -> Opened:
    """Open a stream. What goes wrong is in the answer; nothing is raised.

    Args:
        stream_url: ``ws://`` or ``wss://``; credentials in it become an Authorization header.
        timeout_s: Seconds for each try.
        clock: Seconds, monotonic.
    """
    why = ""
    for attempt in range(1, TRIES + 1):
        began = clock()
        try:
            # Compression is not offered and nothing pings: Exotel is not known to do either.
            socket = await _Connect(
                stream_url,
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                ping_interval=None,
                proxy=None if _is_loopback(stream_url) else True,
                open_timeout=timeout_s,
                close_timeout=1,
            )
        except InvalidStatus as error:
            why = f"status {error.response.status_code}"
        except InvalidMessage:
            why = "no HTTP response"
        except (OSError, InvalidHandshake, InvalidURI, ValueError) as error:
            why = type(error).__name__
        else:
            return Opened(socket, (clock() - began) * 1000, attempt)
    return Opened(None, None, TRIES, (Breach(Rule.HANDSHAKE, why),))


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {host.strip("[]") for host in LOOPBACK}


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc  # Exotel is not known to follow any
