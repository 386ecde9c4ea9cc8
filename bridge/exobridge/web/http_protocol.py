"""HTTP under the webhooks: uvicorn's own protocol, with bounds to what it leaves open.

uvicorn waits for a request for as long as its peer likes, reads a head of any size, and takes any
number of connections (its ``limit_concurrency`` refuses requests, neither idle connections nor
WebSockets). Here a request must be whole in time, within a size, and be answered to a peer that
reads. A WebSocket's handshake comes this way too.

It derives from a class that is not part of uvicorn's public interface, which is why the lock pins
uvicorn; ``tests/web/test_http_protocol.py`` reaches every bound over a real socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple, cast

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD = 32 * 1024
"""Largest request line with all headers, in bytes; Exotel's URLs have fewer than 600."""

MAX_HEADERS = 100

MAX_REQUEST = 256 * 1024
"""Largest request as it comes, in bytes: what frames a body's chunks counts too."""

MAX_UPLOAD = 17 * 1024 * 1024
"""The same for a list of people to call, in bytes."""

UPLOAD_SECONDS = 60.0
"""For such a request to come whole."""

UPLOADS = ((b"POST", b"/api/v1/batches"),)
"""Where such requests go to: method, and path."""

MAX_PIPELINED = 16
"""Requests that may come on one connection before the first of them is answered."""

REQUEST_SECONDS = 10.0
"""For a request to come whole, and for a peer to read its answer: as long as Exotel waits."""

KEEP_ALIVE_SECONDS = 5
"""An idle connection is kept for so long."""

CONNECTIONS_BESIDE = 1000
"""Connections beside two for each call: 200 webhooks a second, each kept for 5 s."""

TOLD_S = 60.0
"""Seconds between two log lines of one kind."""

_log = structlog.stdlib.get_logger("exobridge.web")


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a server bears.

    Attributes:
        connections: Connections at once, WebSockets among them.
        request_seconds: For a request to come whole, and for its answer to be read.
    """

    connections: int
    request_seconds: float = REQUEST_SECONDS

    @classmethod
    def of(cls, max_calls: int) -> HttpLimits:
        """What so many calls need, and room for those that are turned away."""
        return cls(2 * max_calls + CONNECTIONS_BESIDE)


class Refused:
    """Connections that were refused before there was a request: counted by reason, and told in the
    log once a minute at most, since whoever can open a connection can cause a line."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._told: dict[str, tuple[float, int]] = {}

    def add(self, reason: str, now: float) -> None:
        """One more.

        Args:
            now: Seconds of a clock that does not jump.
        """
        count = self.counts[reason] = self.counts.get(reason, 0) + 1
        told_at, told = self._told.get(reason, (float("-inf"), 0))
        if now - told_at >= TOLD_S:
            self._told[reason] = (now, count)
            _log.warning("connections refused", reason=reason, refused=count - told)


class _Why(NamedTuple):
    """Why a request is not read to its end."""

    status: HTTPStatus
    reason: str


_GARBAGE = _Why(HTTPStatus.BAD_REQUEST, "no HTTP")
_LARGE_HEAD = _Why(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head too large")
_LARGE_REQUEST = _Why(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request too large")
_PIPELINED = _Why(HTTPStatus.TOO_MANY_REQUESTS, "too many requests at once")
_FULL = _Why(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")


class _RefusedError(Exception):
    """Ends the parsing of a request; never leaves this module."""

    def __init__(self, why: _Why) -> None:
        super().__init__(why)
        self.why = why


class BoundedHttp(HttpToolsProtocol):
    """One connection, until it becomes a WebSocket.

    Args:
        limits: What the server bears.
        refused: Where refusals are counted.
    """

    def __init__(self, *args: Any, limits: HttpLimits, refused: Refused, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._refused = refused
        self._deadline: asyncio.TimerHandle | None = None
        self._most = MAX_REQUEST
        self._received = 0  # bytes of this request, as they came
        self._head = 0  # bytes of its head, as they were read
        self._in_head = True
        self._is_whole = False

    # -------------------------------------------------------------- in time

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """A peer has connected."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(_FULL)
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._disarm()
        super().connection_lost(exc)

    def _arm(self, seconds: float = 0.0) -> None:
        if self._deadline is None:
            limit = seconds or self._limits.request_seconds
            self._deadline = self.loop.call_later(limit, self._too_slow)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._refused.add("too slow", self.loop.time())
        self.transport.abort()

    def pause_writing(self) -> None:
        """The peer does not read."""
        super().pause_writing()
        self._arm()

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        if self._is_whole:
            self._disarm()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came after an answer. What has not been read of that is not waited for."""
        self.transport.abort()

    def on_response_complete(self) -> None:
        """An answer was written; the peer may still have to read it."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._arm()

    # -------------------------------------------------------------- in size

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._arm()
        self._unset_keepalive_if_required()
        self._received += len(data)
        try:
            self.parser.feed_data(data)  # pyright: ignore[reportOptionalMemberAccess]  # till the end
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self._disarm()
                self.handle_websocket_upgrade()
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.why if isinstance(cause, _RefusedError) else _GARBAGE)
        else:
            if self._in_head and self._received > MAX_HEAD:
                self._refuse(_LARGE_HEAD)
            elif self._received > self._most:
                self._refuse(_LARGE_REQUEST)

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _RefusedError(_PIPELINED)
        super().on_message_begin()
        self._head = 0
        self._most = MAX_REQUEST
        self._in_head = True
        self._is_whole = False
        self._arm()

    def on_url(self, url: bytes) -> None:
        """Part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._count(len(name) + len(value))
        if len(self.headers) >= MAX_HEADERS:
            raise _RefusedError(_LARGE_HEAD)
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD:
            raise _RefusedError(_LARGE_HEAD)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        path = self.url.partition(b"?")[0]
        if (self.parser.get_method(), path) in UPLOADS:  # pyright: ignore[reportOptionalMemberAccess]  # as above
            self._most = MAX_UPLOAD
            self._disarm()
            self._arm(max(UPLOAD_SECONDS, self._limits.request_seconds))
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._received = 0
        self._is_whole = True
        self._disarm()
        super().on_message_complete()

    # -------------------------------------------------------------- refusals

    def _refuse(self, why: _Why) -> None:
        """Say why and hang up; where an answer is under way, only that."""
        self._refused.add(why.reason, self.loop.time())
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            self.transport.abort()
            return
        body = why.reason.encode()
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%s"
            % (why.status, why.status.phrase.encode(), len(body), body)
        )
        self.transport.close()
        self._arm()


def http_protocol(limits: HttpLimits, refused: Refused) -> type[asyncio.Protocol]:
    """What uvicorn is to make for each connection."""
    made: Callable[..., BoundedHttp] = partial(BoundedHttp, limits=limits, refused=refused)
    return cast("type[asyncio.Protocol]", made)  # uvicorn calls it, and asks no more of it
