"""Gets a recording from the network into a file, under the rules.

A host's name is resolved once; every address is checked, and the connection goes to a checked one
under the host's own name (``Host``, SNI, certificate). So a name that leads elsewhere the second
time it is asked gains nothing. Redirects are new URLs, checked alike.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin

from exobridge.recordings.errors import (
    BrokenError,
    NotReadyError,
    RefusedError,
    StorageError,
    TooLargeError,
)
from exobridge.recordings.rules import Rules, Target, checked_addresses

if TYPE_CHECKING:
    import httpx

# httpx is imported where it is used: a server that fetches nothing does without.

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, by its name and port."""


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How a recording is fetched.

    Attributes:
        rules: Which addresses are allowed.
        max_bytes: The largest one.
        credentials: Exotel's API key and token; ``None``: there are none.
        redirects: How many are followed.
        resumes: How often a body that broke off is asked for again.
        connect_seconds: Until a connection stands; ``read_seconds`` until the next bytes come.
        tls: Whose certificates are believed; ``None``: those of the public authorities.
    """

    rules: Rules
    max_bytes: int
    credentials: tuple[str, str] | None = None
    redirects: int = 3
    resumes: int = 4
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What has come.

    Attributes:
        sha256: In hexadecimal.
    """

    bytes: int
    sha256: str


async def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver.

    Raises:
        OSError: There is no such host, for all that is known.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Fetcher:
    """Fetches recordings, each by connections of its own, without the proxies of the environment:
    they would connect wherever they like."""

    def __init__(self, options: FetchOptions, resolve: Resolve = resolve) -> None:
        self._options = options
        self._resolve = resolve
        self._tls = options.tls

    async def fetch(self, url: str, path: Path) -> Fetched:
        """Write what the URL leads to into a file, which is emptied first.

        Raises:
            RefusedError: The rules forbid it.
            TooLargeError: It is larger than it may be.
            NotReadyError: It is not there, or not for us, yet.
            BrokenError: The network failed, more often than it may.
            StorageError: The file cannot be written.
        """
        self._options.rules.check(url)  # before anything is made for it
        try:
            with path.open("wb") as file:
                return await self._fetch(url, _Sink(file, self._options.max_bytes))
        except OSError as error:
            raise StorageError(f"it cannot be written ({error.strerror})") from error

    async def _fetch(self, url: str, sink: _Sink) -> Fetched:
        import httpx

        if self._tls is None:  # slow to load, and needed only here
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        options = self._options
        timeout = httpx.Timeout(options.read_seconds, connect=options.connect_seconds)
        async with httpx.AsyncClient(
            timeout=timeout,
            trust_env=False,
            verify=self._tls,
            # A connection is one host's: another at the same address has to prove itself anew.
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as client:
            for tries_left in range(options.resumes, -1, -1):
                try:
                    await self._ask(client, url, sink)
                    break
                except httpx.HTTPError as error:  # its words may hold the URL
                    if not tries_left:
                        why = type(error).__name__
                        raise BrokenError(f"the network failed ({why})") from None
        return sink.fetched()

    async def _ask(self, client: httpx.AsyncClient, url: str, sink: _Sink) -> None:
        """One request, and those that it is redirected to; what comes is written."""
        for _ in range(self._options.redirects + 1):
            target = self._options.rules.check(url)
            async with self._answer(client, target, sink.resume_headers()) as answer:
                if answer.has_redirect_location:
                    url = _redirected(target.url, answer.headers["location"])
                    continue
                await sink.begin(answer)
                async for chunk in answer.aiter_raw():  # unbuffered: what has come is kept
                    await sink.write(chunk)
                return
        raise RefusedError(f"more than {self._options.redirects} redirects")

    @asynccontextmanager
    async def _answer(
        self, client: httpx.AsyncClient, target: Target, headers: dict[str, str]
    ) -> AsyncGenerator[httpx.Response]:
        """The answer of the first of the host's addresses that takes a connection."""
        answer = await self._first_answer(client, target, headers)
        try:
            yield answer
        finally:
            await answer.aclose()

    async def _first_answer(
        self, client: httpx.AsyncClient, target: Target, headers: dict[str, str]
    ) -> httpx.Response:
        import httpx

        *others, last = await self._addresses(target)
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                request = self._request(client, target, address, headers)
                return await client.send(request, stream=True)
        return await client.send(self._request(client, target, last, headers), stream=True)

    async def _addresses(self, target: Target) -> list[str]:
        try:
            async with asyncio.timeout(self._options.connect_seconds):
                found = await self._resolve(target.host, target.port)
        except (OSError, TimeoutError, UnicodeError):
            raise BrokenError(f"{target.host} cannot be resolved") from None
        return [str(address) for address in checked_addresses(self._options.rules, target, found)]

    def _request(
        self, client: httpx.AsyncClient, target: Target, address: str, headers: dict[str, str]
    ) -> httpx.Request:
        import httpx

        try:
            url = httpx.URL(target.url)
        except httpx.InvalidURL:
            raise RefusedError("the recording's URL cannot be read") from None
        credentials = self._options.credentials if target.takes_credentials else None
        request = client.build_request(
            "GET",
            url.copy_with(host=address),
            headers={
                "Host": url.netloc.decode("ascii"),
                "Accept-Encoding": "identity",
                **headers,
            },
            extensions={"sni_hostname": target.host},
        )
        if credentials is not None and not _is_signed(url):
            request = next(httpx.BasicAuth(*credentials).auth_flow(request))
        return request


def _redirected(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise RefusedError("a redirect's URL cannot be read") from None


def _is_signed(url: httpx.URL) -> bool:
    """A URL that carries its own leave; some storages refuse a second one beside it."""
    return any(name.lower() in ("x-amz-signature", "signature") for name in url.params)


class _Sink:
    """A file that is being fetched, perhaps in several pieces."""

    def __init__(self, file: BinaryIO, max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._bytes = 0
        self._validator = ""

    def fetched(self) -> Fetched:
        """All that has come."""
        return Fetched(self._bytes, self._digest.hexdigest())

    def resume_headers(self) -> dict[str, str]:
        """Asks for the rest of what broke off, if it can be known to be the same file still."""
        if not self._bytes or not self._validator:
            return {}
        return {"Range": f"bytes={self._bytes}-", "If-Range": self._validator}

    async def begin(self, answer: httpx.Response) -> None:
        """An answer has come: go on where it does.

        Raises:
            NotReadyError: It holds no recording.
            TooLargeError: It holds more than is allowed.
        """
        goes_on = answer.status_code == 206 and answer.headers.get("content-range", "").startswith(
            f"bytes {self._bytes}-"
        )
        if answer.status_code != 200 and not (goes_on and self._bytes):
            await asyncio.to_thread(self._empty)
            raise NotReadyError(f"HTTP {answer.status_code}")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise NotReadyError("it came compressed")
        if not goes_on:
            await asyncio.to_thread(self._empty)
        self._validator = _validator(answer)
        length = answer.headers.get("content-length", "0")
        self._bound(self._bytes + (int(length) if length.isdecimal() else 0))

    async def write(self, chunk: bytes) -> None:
        """More of it.

        Raises:
            TooLargeError: It is more than is allowed.
        """
        self._bound(self._bytes + len(chunk))
        await asyncio.to_thread(self._write, chunk)
        self._bytes += len(chunk)

    def _bound(self, size: int) -> None:
        if size > self._max_bytes:
            raise TooLargeError("it is larger than RECORDING_MAX_MB")

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._digest.update(chunk)

    def _empty(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self._bytes = 0


def _validator(answer: httpx.Response) -> str:
    """What ``If-Range`` can name (RFC 9110, section 13.1.5): a strong entity tag."""
    tag = answer.headers.get("etag", "")
    return "" if tag.startswith("W/") else tag
