"""What a fake vendor needs of a connection, be it a WebSocket or HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import Any, Protocol


class Asked(Protocol):
    """What a client asked for when it connected: a handshake, or its first request."""

    @property
    def path(self) -> str:
        """With the query."""
        ...

    @property
    def headers(self) -> AskedHeaders:
        """Its headers."""
        ...


class AskedHeaders(Protocol):
    """Headers, of which one may come several times."""

    def raw_items(self) -> Iterable[tuple[str, str]]:
        """All of them, in order."""
        ...


class Abortable(Protocol):
    """What a line runs on."""

    def abort(self) -> None:
        """Break it, without a word."""
        ...

    def get_extra_info(self, name: str) -> Any:
        """Its ``socket``."""
        ...


class Line(Protocol):
    """A connection."""

    @property
    def request(self) -> Asked | None:
        """What the client asked for."""
        ...

    @property
    def transport(self) -> Abortable:
        """What it runs on."""
        ...

    async def recv(self) -> str | bytes:
        """The client's next message; raises ``ConnectionClosed``."""
        ...

    async def send(self, message: str | bytes | AsyncIterable[Any]) -> None:
        """Send a message, or its fragments; raises ``ConnectionClosed``."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it."""
        ...

    async def wait_closed(self) -> None:
        """Wait for the end of it."""
        ...
