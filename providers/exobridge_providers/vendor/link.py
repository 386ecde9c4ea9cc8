"""One WebSocket to a vendor: sending never waits, reading gives whole messages, and what goes wrong
is an error without keys."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from exobridge_providers.endpoint import is_loopback
from exobridge_providers.errors import (
    ProviderConfigError,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.vendor.errors import refused, trouble_of_status

Message = str | bytes
"""One message: text, or audio as it is."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""The largest message taken of a vendor: half a minute of audio in base64."""

MAX_UNSENT_BYTES = 256 * 1024
"""Audio that waits for a vendor that does not read, 16 s of PCM16 at 8 kHz; beyond, the oldest
goes."""

CLOSE_SECONDS = 1.0
"""Longest wait for what is said at the end, and again for a vendor's side of the closing."""

# The library's own logger would show headers, and so keys, where everything is logged at DEBUG.
_quiet = logging.getLogger("exobridge.vendor.socket")
_quiet.setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a session's socket goes.

    Attributes:
        url: Without a query.
        query: Parameters in their order; ``None`` is left out, ``True`` and ``False`` are written
            ``true`` and ``false``, and a list is the same parameter several times.
        headers: They may hold the key.
        secrets: What must not stand in an error.
    """

    url: str
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def target(self) -> str:
        """The URL with its query."""
        pairs = [
            (name, _written(each))
            for name, value in self.query.items()
            if value is not None
            for each in _values(value)
        ]
        scheme, host, path, query, _ = urlsplit(self.url)
        both = "&".join(filter(None, (query, urlencode(pairs, quote_via=quote))))
        return urlunsplit((scheme, host, path, both, ""))


def _values(value: object) -> Sequence[object]:
    return cast(Sequence[object], value) if isinstance(value, list | tuple) else (value,)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def _tls() -> ssl.SSLContext:
    """One for all connections: loading the authorities takes tens of milliseconds."""
    return ssl.create_default_context()


async def prepare(url: str) -> None:
    """What takes its time when the first connection is opened, to be done before any call."""
    if url.startswith("wss:"):
        await asyncio.to_thread(_tls)


class _Connect(connect):
    """Goes where it was told: a redirection could carry the key to another host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Link:
    """An open connection. Made by :meth:`open`.

    Attributes:
        dropped: Bytes of audio that were never sent.
    """

    def __init__(self, socket: ClientConnection, address: Address, provider: str) -> None:
        self.dropped = 0
        self._socket = socket
        self._address = address
        self._provider = provider
        self._unsent: deque[tuple[Message, bool]] = deque()
        self._unsent_audio = 0
        self._wake = asyncio.Event()
        self._finishing = False
        self._writer = asyncio.get_running_loop().create_task(self._write())

    @classmethod
    async def open(cls, address: Address, provider: str, connect_seconds: float) -> Link:
        """Connect.

        Raises:
            ProviderError: The vendor cannot be reached, or does not want us.
        """
        target = address.target
        try:
            socket = await _Connect(
                target,
                additional_headers=dict(address.headers),
                user_agent_header="exobridge",
                compression=None,
                open_timeout=connect_seconds,
                close_timeout=CLOSE_SECONDS,
                max_size=MAX_MESSAGE_BYTES,
                logger=_quiet,
                ssl=_tls() if target.startswith("wss:") else None,
                proxy=None if is_loopback(urlsplit(target).hostname or "") else True,
            )
        except InvalidStatus as error:
            body = error.response.body or b""
            words = refused(body[:1000].decode("utf-8", "replace"), address.secrets)
            raise trouble_of_status(error.response.status_code, provider, words) from None
        except (InvalidURI, ValueError):  # a port that is none, say
            raise ProviderConfigError(
                f"{provider} cannot be reached: url is no URL", provider=provider
            ) from None
        except ImportError as error:
            raise ProviderConfigError(
                f"{provider} cannot be reached: the proxy of the environment needs {error.name}",
                provider=provider,
            ) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            late = isinstance(error, TimeoutError)
            what = "did not answer in time" if late else f"cannot be reached: {_kind(error)}"
            raise ProviderUnavailableError(f"{provider} {what}", provider=provider) from None
        return cls(socket, address, provider)

    # -------------------------------------------------------------- out

    def send(self, message: Message) -> None:
        """Send a message. Never waits; on a connection that has ended nothing happens."""
        self._unsent.append((message, False))
        self._wake.set()

    def send_audio(self, message: Message) -> bool:
        """Send audio, in the place of older audio where too much waits.

        Returns:
            Whether nothing had to go.
        """
        self._unsent.append((message, True))
        self._unsent_audio += len(message)
        self._wake.set()
        whole = True
        while self._unsent_audio > MAX_UNSENT_BYTES:
            self._drop_oldest()
            whole = False
        return whole

    @property
    def is_behind(self) -> bool:
        """Whether more than half of what may wait for the vendor does."""
        return self._unsent_audio > MAX_UNSENT_BYTES // 2

    def _drop_oldest(self) -> None:
        for place, (message, is_audio) in enumerate(self._unsent):
            if is_audio:
                del self._unsent[place]
                self._unsent_audio -= len(message)
                self.dropped += len(message)
                return

    async def _write(self) -> None:
        try:
            while self._unsent or not self._finishing:
                if not self._unsent:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                message, is_audio = self._unsent.popleft()
                if is_audio:
                    self._unsent_audio -= len(message)
                await self._socket.send(message)
        except ConnectionClosed:  # the reader tells it
            pass

    # -------------------------------------------------------------- in

    async def messages(self) -> AsyncIterator[Message]:
        """What comes, until the vendor closes the connection, or the line breaks.

        Raises:
            ProviderError: It ended; it always does.
        """
        try:
            while True:
                yield await self._socket.recv()
        except ConnectionClosed as closed:
            raise self._ended(closed) from None

    def _ended(self, closed: ConnectionClosed) -> ProviderError:
        frame = closed.rcvd
        if frame is None:
            if closed.sent is not None and closed.sent.code in (1002, 1007, 1009):
                return ProviderProtocolError(
                    f"{self._provider} sent what is no message of a WebSocket",
                    provider=self._provider,
                    status_code=closed.sent.code,
                )
            return ProviderUnavailableError(
                f"the line to {self._provider} broke", provider=self._provider, status_code=1006
            )
        words = refused(frame.reason, self._address.secrets)
        told = f" {words}" if words else ""
        return ProviderUnavailableError(
            f"{self._provider} closed the connection ({frame.code}{told})",
            provider=self._provider,
            status_code=frame.code,
        )

    # -------------------------------------------------------------- the end

    async def aclose(self, *goodbye: Message) -> None:
        """Say goodbye, if the vendor still reads, and close. May be called again."""
        for message in goodbye:
            self.send(message)
        self._finishing = True
        self._wake.set()
        closing = asyncio.get_running_loop().create_task(self._close())
        try:
            await asyncio.wait([closing], timeout=3 * CLOSE_SECONDS)
        finally:
            # The library limits the wait for the vendor's farewell, but not that for its ear.
            self._writer.cancel()
            self._socket.transport.abort()
            await asyncio.gather(self._writer, closing, return_exceptions=True)

    async def _close(self) -> None:
        written, _ = await asyncio.wait([self._writer], timeout=CLOSE_SECONDS)
        if written:
            await self._socket.close()


def _kind(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
